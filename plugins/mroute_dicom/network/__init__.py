"""DICOM over TCP: PDUs, the negotiation of an association, and the messages of C-STORE and C-ECHO.

pynetdicom encodes and decodes the negotiation; data sets go from and to the socket as they are,
because nothing here looks into them. Knows PS3.7 and PS3.8. Does not know files or targets.
"""
