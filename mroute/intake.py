"""Takes an image that a service has into ``incoming/``, with the tags that it has.

Knows that its tags are read from the image, and that the service knows more: who sent it. Does not
know where images come from. It can be pickled: a service may have processes of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mroute.spool.arrivals.receiving import receive
from mroute.spool.files import Files
from mroute.spool.layout import Spool
from mroute.spool.tags import ReadImage
from mroute.types import Tags


@dataclass(frozen=True, slots=True)
class Intake:
    """Takes images into a spool."""

    spool: Spool
    files: Files
    read: ReadImage

    def __call__(self, path: Path, facts: Tags) -> Path:
        """Move the image at ``path`` into ``incoming/``; returns its path there.

        ``facts`` are added to its tags. When it returns, the image is as safe as the durability
        that is configured asks for. Raises `TagsError` for what is no image, `UnsafeNameError` for
        UIDs that cannot be names, and `OSError` where it cannot be taken now: then it stays.
        """
        return receive(self.spool, self.files, path, {**self.read(path), **facts})
