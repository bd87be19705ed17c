"""The tag list of an image: made from it by the tag readers of the plugins.

Knows that readers are asked one after the other. Does not know DICOM, or where tags are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mroute.contributions import TagReader
from mroute.errors import TagsError
from mroute.registry import Registry
from mroute.types import Tags


@dataclass(frozen=True, slots=True)
class ImageReader:
    """Makes the tag list of an image with the first tag reader that can; another process may too.

    It raises `TagsError` with what every reader said where none can.
    """

    readers: tuple[TagReader, ...]

    def __call__(self, path: Path) -> Tags:
        """The tag list of the image at ``path``."""
        complaints = []
        for reader in self.readers:
            try:
                return _checked_tags(reader.name, reader.read(path))
            except TagsError as error:
                complaints.append(str(error))
            # The edge of a plugin call: a reader that fails is one that cannot read this image.
            except Exception as error:  # noqa: BLE001
                complaints.append(
                    f"tag reader '{reader.name}' raised {type(error).__name__}: {error}"
                )
        raise TagsError(
            "; ".join(complaints) or f"'{path.name}' has no tags, and no plugin reads images"
        )


def read_image(registry: Registry) -> ImageReader:
    """A function that makes the tag list of an image with the tag readers of the plugins."""
    return ImageReader(tuple(registry.tag_readers.values()))


def _checked_tags(reader: str, tags: object) -> Tags:
    """What a reader returned, if it is a mapping of texts."""
    if isinstance(tags, Mapping) and all(
        isinstance(part, str) for pair in tags.items() for part in pair
    ):
        return tags
    raise TagsError(f"tag reader '{reader}' returned no mapping of keyword to text")
