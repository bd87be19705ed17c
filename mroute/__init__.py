"""mroute decides from the tags of DICOM series where images go and what is done with them.

Knows the names that other programs embed; they are imported on first use, so that
``import mroute`` stays cheap. Does not know how anything is done.
"""
