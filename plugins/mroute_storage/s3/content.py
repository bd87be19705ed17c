"""The content of an image, and what an object store says of the content of an object.

Knows what proves that the two are the same. Does not know how either was come by.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Found:
    """What a store says of an object: its ETag, and the SHA-256 that mroute wrote beside it."""

    size: int
    tag: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a file; ``tag`` is the ETag of an object that was made of it in such parts.

    A store that encrypts with keys of its own has other ETags: there the SHA-256 decides.
    """

    path: Path
    size: int
    sha256: str
    tag: str
    part: int

    @property
    def is_whole(self) -> bool:
        """Whether it is put in one piece."""
        return self.size <= self.part

    def is_in(self, found: Found) -> bool:
        """Whether an object has this content."""
        return found.size == self.size and (found.tag == self.tag or found.sha256 == self.sha256)


def read_content(path: Path, part: int) -> Content:
    """The content of a file that is put in parts of so many bytes; raises `OSError`."""
    sha256, digests, size = hashlib.sha256(), [], 0
    for each in parts_of(path, part):
        sha256.update(each)
        digests.append(hashlib.md5(each, usedforsecurity=False))
        size += len(each)
    tag = digests[0].hexdigest()
    if size > part:
        joined = b"".join(each.digest() for each in digests)
        tag = f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(digests)}"
    return Content(path, size, sha256.hexdigest(), tag, part)


def parts_of(path: Path, part: int) -> Iterator[bytes]:
    """The parts of a file, of so many bytes each but the last; one that is empty has one."""
    with path.open("rb") as file:
        yield file.read(part)
        while each := file.read(part):
            yield each
