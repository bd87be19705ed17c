"""The tags beside an image: a JSON object of keyword to text, made from the image where missing.

Knows how ``.tags`` files are read and written and which files of a series folder are what. Does
not know DICOM: a tag reader of a plugin does.
"""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mroute.errors import TagsError, is_shortage
from mroute.spool.files import Files
from mroute.spool.layout import FORCE_RULE_FILE, TAGS_SUFFIX, tags_file
from mroute.types import Rejected, Tags

MAX_BYTES = 8 * 2**20
"""Bytes of the largest tags file that is read."""

ReadImage = Callable[[Path], Tags]
"""Makes the tag list of an image; raises `TagsError` for a file that is none."""

ReadTags = Callable[[Path], tuple[Tags, str]]
"""The tags that an image is decided by, and what was odd about them; raises `TagsError`."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a series folder: good images by name, the tags of the first, and the rest."""

    images: tuple[str, ...]
    tags: Tags
    rejected: tuple[Rejected, ...]
    trouble: tuple[str, ...]
    force_rule: str | None


def read_tags(path: Path) -> tuple[dict[str, str], str]:
    """The tags in a ``.tags`` file, and a sentence on what was odd about it (often empty).

    Bytes that are not UTF-8 are kept as lone surrogates. Raises `TagsError` for a file that
    cannot be read, is no JSON or no object of texts, and `OSError` where nothing can be read now.
    """
    try:
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > MAX_BYTES:
            raise TagsError(f"'{path.name}' is no file of at most {MAX_BYTES} bytes")
        raw = path.read_bytes()
    except OSError as error:
        if is_shortage(error):
            raise
        raise TagsError(f"'{path.name}' cannot be read: {error.strerror}") from error
    text, trouble = decoded(raw, path.name)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise TagsError(
            f"'{path.name}' is no JSON ({error}); expected an object of keyword to text"
        ) from error
    return tags_in(value, path.name), trouble


def decoded(raw: bytes, name: str) -> tuple[str, str]:
    """``raw`` as text, and a sentence where it is not UTF-8; ``name`` is where it is from."""
    try:
        return raw.decode("utf-8-sig"), ""
    except UnicodeDecodeError:
        trouble = f"'{name}' is not encoded in UTF-8; its other bytes are kept as they are"
        return raw.decode("utf-8", "surrogateescape"), trouble


def tags_in(value: object, name: str) -> dict[str, str]:
    """The tags that a JSON value holds; ``name`` is where it is from.

    Numbers become texts and null an empty one. Raises `TagsError` for what is no object of texts.
    """
    if not isinstance(value, dict):
        raise TagsError(f"'{name}' holds no JSON object; expected one of keyword to text")
    return {keyword: _text(name, keyword, item) for keyword, item in value.items()}


def _text(name: str, keyword: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    raise TagsError(f"'{name}' has {type(value).__name__} under '{keyword}'; expected a text")


def write_tags(files: Files, image: Path, tags: Mapping[str, str]) -> None:
    """Write the tags beside an image, atomically."""
    files.write_json(tags_file(image), dict(tags))


def survey(folder: Path, read_image: ReadImage, files: Files) -> Contents:
    """Sort the files of a series folder; the tags of an image without any are written beside it.

    Only the tags of the first good image are read, however many there are: a series is decided by
    one image, always the same. A folder inside, a file that is no image, an image of another series
    and tags without an image are rejected with the reason.
    """

    def make(image: Path) -> None:
        write_tags(files, image, read_image(image))

    return _sorted(folder, make, lambda image: read_tags(tags_file(image)))


def preview(folder: Path, read: ReadTags) -> Contents:
    """What `survey` would come to, by the same steps; nothing is written.

    ``read`` reads the tags beside an image, or makes them where there are none.
    """
    return _sorted(folder, read, read)


def _sorted(folder: Path, make: Callable[[Path], object], read: ReadTags) -> Contents:
    """Sort the files of a series folder; ``make`` is called for each image without tags."""
    entries = {path.name: path for path in sorted(folder.iterdir())}
    images: list[str] = []
    rejected: list[Rejected] = []
    for name, path in entries.items():
        if name == FORCE_RULE_FILE or name.endswith(TAGS_SUFFIX):
            continue
        if name.startswith("."):
            rejected.append(Rejected(name, f"'{name}' is hidden; a series folder holds images"))
        elif not path.is_file() or path.is_symlink():
            rejected.append(Rejected(name, f"'{name}' is no file; a series folder holds images"))
        elif tags_file(path).name in entries:
            images.append(name)
        else:
            try:
                make(path)
                images.append(name)
            except TagsError as error:
                rejected.append(Rejected(name, str(error)))
    expected = {tags_file(folder / name).name for name in entries if not name.endswith(TAGS_SUFFIX)}
    rejected += [
        Rejected(name, f"'{name}' has no image beside it")
        for name in entries
        if name.endswith(TAGS_SUFFIX) and name not in expected
    ]
    tags, trouble = _first_tags(folder, images, rejected, read)
    _reject_other_series(folder, images, rejected, read)
    return Contents(tuple(images), tags, tuple(rejected), trouble, forced_rule(folder))


def _first_tags(
    folder: Path, images: list[str], rejected: list[Rejected], read: ReadTags
) -> tuple[Tags, tuple[str, ...]]:
    """The tags of the first image that has good ones; those before it are rejected."""
    while images:
        try:
            tags, trouble = read(folder / images[0])
        except TagsError as error:
            rejected.append(Rejected(images.pop(0), str(error)))
        else:
            return tags, (trouble,) if trouble else ()
    return {}, ()


def _reject_other_series(
    folder: Path, images: list[str], rejected: list[Rejected], read: ReadTags
) -> None:
    """Take out the images that are of another series than the first: it does not decide for them.

    A receiver names images ``<SeriesInstanceUID>#...``; the tags of any other image are read.
    """
    if not images:
        return
    first = images[0]
    uid = _series_of(folder / first, read)
    for name in images[1:]:
        try:
            other = _series_of(folder / name, read)
        except TagsError as error:
            reason = str(error)
        else:
            if other == uid:
                continue
            reason = f"'{name}' is of another series than '{first}'; each needs a folder of its own"
        images.remove(name)
        rejected.append(Rejected(name, reason))


def _series_of(image: Path, read: ReadTags) -> str:
    prefix, separator, _ = image.name.partition("#")
    if separator:
        return prefix
    return read(image)[0].get("SeriesInstanceUID", "")


def forced_rule(folder: Path) -> str | None:
    """The name of the only rule that a series folder asks for, if it does."""
    path = folder / FORCE_RULE_FILE
    return path.read_text("utf-8", "replace").strip() if path.is_file() else None
