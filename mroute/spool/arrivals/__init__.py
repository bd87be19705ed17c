"""What arrives in the spool: series, images, and what receivers could not parse.

Knows ``incoming/`` and how a series folder is sorted. Does not know what is decided of a series.
"""
