"""The target type ``s3``: a bucket of an object store that speaks S3.

Knows how images become objects, and how their content is compared. Does not know which images
there are, or when they are sent again.
"""
