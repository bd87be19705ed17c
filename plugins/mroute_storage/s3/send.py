"""Sends a shipment into a bucket, an object for each image.

Knows when an image is stored, and under which key. Does not know how a store is asked.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from mroute.api import DeliveryError, Shipment, WorkContext
from mroute_storage.placement import Placement, placements
from mroute_storage.s3.bucket import Bucket
from mroute_storage.s3.content import Content, parts_of, read_content
from mroute_storage.s3.errors import NotTakenError
from mroute_storage.s3.target import S3Target

MEGABYTE = 1 << 20

_LONGEST_KEY = 1024
_AT_ONCE = 4
"""Images of a task that are under way together: most of the time of each is waiting."""


def send_to_s3(shipment: Shipment, target: S3Target, context: WorkContext) -> None:
    """Have every image in the bucket; what is there already with this content is left alone.

    Raises `DeliveryError` and `TargetDownError`: images whose storing was not reported then are
    found there by the next attempt.
    """
    bucket = Bucket(target)
    keep = partial(_keep, bucket, target.part_size * MEGABYTE, context.stop)
    coming = placements(shipment, target.layout, target.exclude, context, with_tags=False)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for image, said in pool.map(keep, coming):
            if isinstance(said, NotTakenError):
                shipment.refused(image, said.status, said.reason)
            else:
                shipment.stored(image, "", said)


def _keep(
    bucket: Bucket, size: int, stop: threading.Event, placement: Placement
) -> tuple[Path, str | NotTakenError]:
    """An image with the warning of what became of it, or why it was not taken."""
    image, (part,) = placement.image, placement.parts
    _go_on(stop)
    try:
        content = read_content(image, size)
        for number, name in enumerate(part.names):
            key = placement.at(name)
            if len(key.encode()) > _LONGEST_KEY:
                raise NotTakenError("", f"its key would be longer than {_LONGEST_KEY} bytes")
            if bucket.keep(key, content, _parts(content, stop)):
                return image, placement.warning(number)
    except NotTakenError as error:
        return image, error
    return image, NotTakenError("", str(part.no_name()))


def _parts(content: Content, stop: threading.Event) -> Iterator[bytes]:
    for each in parts_of(content.path, content.part):
        _go_on(stop)
        yield each


def _go_on(stop: threading.Event) -> None:
    if stop.is_set():
        raise DeliveryError("mroute was asked to stop")
