"""The target type ``folder``: a folder, local or mounted, for whole tasks or image by image.

Knows how a task gets there whole and once, whatever interrupts it. Does not know which tasks come.
"""
