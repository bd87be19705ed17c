"""The target type ``rsync``: a folder of another machine, or of this one, that rsync writes into.

Knows how a shipment gets there image by image. Does not know which images there are, or when they
are sent again.
"""
