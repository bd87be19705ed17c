"""The SUBJECTs of a command line: files, folders and standard input, as series.

Knows what can be named, and that reading changes nothing on disk. Does not know what is asked about
a series, or how the series of a folder are found (gathering).
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click

from mroute.errors import MrouteError, TagsError, describe
from mroute.registry import Registry
from mroute.spool.arrivals.survey import preview
from mroute.spool.layout import TAGS_SUFFIX, tags_file
from mroute.spool.tags import ReadImage, decoded, read_tags, tags_in
from mroute.types import Series, Tags

STDIN = "-"
_PIPED = "standard input"
_EXPECTED = "expected a JSON object of keyword to text"
_FILLED = re.compile(r"[^ \t\r\n]")
_NOT_ONE = "no image with good tags"
_UNNAMED = "unnamed"
"""The UID of a series whose tags have none."""

EXPLAINED = "00000000-0000-0000-0000-000000000000"
"""The claim of a series that nobody took for routing."""


@dataclass(frozen=True, slots=True)
class Given:
    """A series that the command line names.

    ``name`` names it again: a file, or a folder that holds no other series; on standard input it is
    ``-``, or ``-:2`` for the second of several. ``note`` says which image of a folder decides. A
    series without images is a folder in which none has good tags; its rejected files say why.
    """

    name: str
    series: Series
    note: str = ""


def as_series(
    tags: Tags, images: tuple[str, ...], uid: str = "", force_rule: str | None = None
) -> Series:
    """The series with these tags; ``uid`` stands in where they have no SeriesInstanceUID."""
    uid = tags.get("SeriesInstanceUID") or uid or _UNNAMED
    return Series(uid, tags, images, EXPLAINED, force_rule=force_rule)


class Subjects:
    """Reads subjects; ``tell`` is told in a sentence of each file that cannot be read.

    ``failed`` is set once a subject could not be read at all, and where a tags file is damaged.
    """

    def __init__(self, registry: Registry, tell: Callable[[str], None]) -> None:
        self._registry = registry
        self._tell = tell
        self._read_image: ReadImage | None = None
        self.failed = False

    def read(self, names: tuple[str, ...]) -> Iterator[Given]:
        """The series in what is named, one by one, in order."""
        refuse_twice(names)
        for name in names:
            yield from self.read_one(name)

    def read_one(self, name: str) -> Iterator[Given]:
        """The series in one thing that is named."""
        try:
            yield from self._piped() if name == STDIN else self._named(name)
        except (MrouteError, OSError) as error:
            self.failed = True
            self._tell(describe(error))

    def _named(self, name: str) -> Iterator[Given]:
        path = Path(name)
        if path.is_dir():
            yield from self._in_folder(name, path)
        elif path.is_file():
            tags = self._tags(path)
            yield Given(name, as_series(tags, (path.name,)))
        elif path.exists():
            raise MrouteError(f"'{name}' is neither a file nor a folder; pipe JSON into '-'")
        else:
            raise MrouteError(
                f"'{name}' does not exist; expected a DICOM file, a folder, a '.tags' file or '-'"
            )

    def _in_folder(self, name: str, path: Path) -> Iterator[Given]:
        from mroute.cli.gathering import gather

        found = gather(path, self._tags, self._read, self._tell)
        if not found:
            yield from self._unreadable(name, path)
        for each in found:
            series = as_series(
                each.tags, tuple(each.images), each.first.parent.absolute().name, each.force_rule
            )
            series = replace(series, rejected=each.rejected)
            count = _counted(each.images)
            if len(found) > 1 and not each.arrived:
                yield Given(str(each.first), series, f"decides for {count}")
                continue
            shown = str(each.first.parent) if len(found) > 1 else name
            decides = each.first.relative_to(path)
            note = f"{count}, decided by {str(decides)!r}" if each.images else _NOT_ONE
            yield Given(shown, series, note)

    def _unreadable(self, name: str, path: Path) -> Iterator[Given]:
        """The images of a folder that holds no good one, where they have tags that are damaged."""
        contents = preview(path, self._read)
        damaged = tuple(
            each
            for each in contents.rejected
            if not each.name.endswith(TAGS_SUFFIX) and os.path.lexists(tags_file(path / each.name))
        )
        if not damaged:
            raise MrouteError(f"'{name}' holds no image; expected DICOM files or '.tags' files")
        series = replace(as_series({}, (), path.absolute().name), rejected=damaged)
        yield Given(name, series, _NOT_ONE)

    def _tags(self, path: Path) -> Tags:
        """The tags of a file; what is odd about them is told."""
        tags, trouble = self._read(path)
        if trouble:
            self._tell(trouble)
        return tags

    def _read(self, path: Path) -> tuple[Tags, str]:
        """The tags of a file, as the router sees them: those beside an image go before its own."""
        beside = path if path.suffix == TAGS_SUFFIX else tags_file(path)
        if os.path.lexists(beside):
            try:
                return read_tags(beside)
            except TagsError:
                self.failed = True  # in a folder too: these were meant for the router
                raise
        if self._read_image is None:
            from mroute.image_tags import read_image

            self._read_image = read_image(self._registry)
        return self._read_image(path), ""

    def _piped(self) -> Iterator[Given]:
        if sys.stdin is None:
            raise MrouteError(f"standard input is closed; {_EXPECTED}")
        text, trouble = decoded(sys.stdin.buffer.read(), _PIPED)
        if trouble:
            self._tell(trouble)
        found, broken = _values(text)
        if not found and not broken:
            raise MrouteError(f"standard input is empty; {_EXPECTED}")
        for number, (line, value) in enumerate(found, start=1):
            try:
                tags = tags_in(value, f"{_PIPED}, line {line}")
            except TagsError as error:
                self.failed = True
                self._tell(str(error))
                continue
            name = STDIN if len(found) == 1 else f"{STDIN}:{number}"
            yield Given(name, as_series(tags, ("image.dcm",)))
        if broken:
            raise MrouteError(broken)


def refuse_twice(names: tuple[str, ...]) -> None:
    """Raise `click.UsageError` where standard input is named twice."""
    if names.count(STDIN) > 1:
        raise click.UsageError("'-' is standard input, which can be read once")


def _counted(images: list[str]) -> str:
    """How many images, or tags files that stand for some."""
    plural = "" if len(images) == 1 else "s"
    if all(name.endswith(TAGS_SUFFIX) for name in images):
        return f"{len(images)} '.tags' file{plural} without an image"
    return f"{len(images)} image{plural}"


def _values(text: str) -> tuple[list[tuple[int, object]], str]:
    """The JSON values in ``text``, each with the line that it begins in, and what ended them.

    They follow one another, with or without blanks between them.
    """
    found: list[tuple[int, object]] = []
    line, position = 1, 0
    while start := _FILLED.search(text, position):
        line += text.count("\n", position, start.start())
        try:
            value, position = json.JSONDecoder().raw_decode(text, start.start())
        except json.JSONDecodeError as error:
            said = error.msg[:1].lower() + error.msg[1:]
            place = f"line {error.lineno}, column {error.colno}"
            return found, f"standard input is no JSON at {place}: {said}; {_EXPECTED}"
        except (ValueError, RecursionError):
            reason = "a number is too long, or brackets are nested too deeply"
            return found, f"standard input, line {line}, is no JSON that can be read: {reason}"
        found.append((line, value))
        line += text.count("\n", start.start(), position)
    return found, ""
