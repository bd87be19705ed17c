"""The target type ``dicom``: sends images to a Storage SCP, and hears about each one.

Knows what is sent, and by which back end. Does not know when, or what comes of it (dispatch).
"""
