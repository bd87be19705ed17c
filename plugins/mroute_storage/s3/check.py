"""What keeps images from a bucket, found out with an object that is removed again.

Knows the order of the questions: keys, connection, bucket, writing, looking, removing. Does not
know what waits for the target.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import uuid4

from mroute.api import MrouteError
from mroute_storage.s3.bucket import Bucket
from mroute_storage.s3.target import S3Target


def check_s3(name: str, target: S3Target, files: Sequence[Path]) -> list[str]:
    """A sentence for each thing that is wrong; the images are not looked at."""
    return list(_complaints(target))


def _complaints(target: S3Target) -> Iterator[str]:
    # Keys may have no rights but below the folders that do not depend on an image.
    folders, _, _ = target.layout.partition("{")[0].rpartition("/")
    key = f"{folders}/.mroute-check-{uuid4()}".lstrip("/")
    try:
        bucket = Bucket(target)
        bucket.try_out(key)  # first: the answer to this one says most
    except MrouteError as error:
        yield str(error)
        return
    try:
        bucket.find(key)
    except MrouteError as error:
        yield f"it cannot be asked which images are there: {error}"
    try:
        bucket.remove(key)
    except MrouteError as error:
        yield f"the object '{key}' was written and cannot be removed; do so by hand: {error}"
