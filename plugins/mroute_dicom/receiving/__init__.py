"""The service ``receiver``: a Storage SCP through which images arrive.

Knows how an image gets from a socket into a file, and when its sender may be told so. Does not know
what becomes of it in ``incoming/``.
"""
