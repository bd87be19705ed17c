"""What is in a series folder: its images, the tags that decide, and what cannot be routed.

Knows which files of a series folder are what, in one listing and with few files opened: a series of
20,000 images is looked at in the time of a blink. Does not know DICOM, or what is decided.
"""

from __future__ import annotations

import filecmp
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mroute.errors import TagsError
from mroute.spool.arrivals.errorfiles import ERROR_SUFFIX, LOCK_SUFFIX, image_of, message_of
from mroute.spool.files import Files
from mroute.spool.layout import FORCE_RULE_FILE, TAGS_SUFFIX, tags_file
from mroute.spool.tags import LookUp, ReadImage, ReadTags, read_tags, read_uids, uids_in, write_tags
from mroute.types import Rejected, Tags

_IMAGE_SUFFIX = ".dcm"

_LONGEST = 235
"""Bytes of the longest name of an image: its tags, its copies and its double get longer ones."""

_NAMED = 5
"""Files that a sentence names."""

_RECEIVED = re.compile(r"([^#]+)#([0-9]+(?:\.[0-9]+)*)(?:#[^#]*)?(?:\.dcm)?", re.ASCII)
"""The name that a receiver gives to an image: SeriesInstanceUID, SOPInstanceUID, what is unique."""

_DIGITS = re.compile("[0-9.]+")


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a series folder: good images by name, the tags of the first, and the rest.

    ``names`` are all files in the folder but the one that forces a rule. ``conflicts`` are the
    SOPInstanceUIDs under which there are images of different content.
    """

    images: tuple[str, ...]
    tags: Tags
    rejected: tuple[Rejected, ...]
    trouble: tuple[str, ...]
    force_rule: str | None
    names: frozenset[str] = frozenset()
    conflicts: tuple[str, ...] = ()


def survey(folder: Path, read_image: ReadImage, files: Files) -> Contents:
    """Sort the files of a claimed series folder; an image without tags gets them.

    Only the tags of the first good image are read, however many there are: a series is decided by
    one image, always the same. A folder inside, a file that is no image or that its receiver could
    not parse, an image of another series and tags without an image are rejected with the reason.
    Of images that are the same byte for byte one is kept. May be repeated after a process that
    died at any instant.
    """

    def make(image: Path) -> None:
        write_tags(files, image, read_image(image))

    def read(image: Path) -> tuple[Tags, str]:
        return read_tags(tags_file(image))

    def look_up(image: Path) -> tuple[str, str]:
        return read_uids(tags_file(image))

    sorting = _Sorting(folder, make, read, look_up)
    contents = sorting.contents()
    for name in sorting.superfluous:
        (folder / name).unlink(missing_ok=True)
    if sorting.superfluous:
        files.flush_folder(folder)
    if not sorting.superfluous and not sorting.bare:
        return contents
    made = {_tags_name(name) for name in sorting.bare}
    names = contents.names.union(made).difference(sorting.superfluous)
    return replace(contents, names=names)


def preview(folder: Path, read: ReadTags) -> Contents:
    """What `survey` would come to, by the same steps; nothing is written or deleted.

    ``read`` reads the tags beside an image, or makes them where there are none.
    """

    def look_up(image: Path) -> tuple[str, str]:
        return uids_in(read(image)[0])

    return _Sorting(folder, read, read, look_up).contents()


def forced_rule(folder: Path) -> str | None:
    """The name of the only rule that a series folder asks for, if it does."""
    path = folder / FORCE_RULE_FILE
    return path.read_text("utf-8", "replace").strip() if path.is_file() else None


class _Sorting:
    """The files of a folder on their way to being sorted; every step takes some of them.

    ``make`` is called for each image without tags, ``read`` gives the tags of an image and
    ``look_up`` its two UIDs. ``superfluous`` are the files that another one makes up for: first the
    image, then its tags, so that a deletion can be carried on anywhere.
    """

    def __init__(
        self, folder: Path, make: Callable[[Path], object], read: ReadTags, look_up: LookUp
    ) -> None:
        self._folder = folder
        self._make = make
        self._read = read
        self._look_up = look_up
        self.bare: list[str] = []
        self.superfluous: list[str] = []
        self._rejected: list[Rejected] = []
        self._trouble: list[str] = []
        self._conflicts: list[str] = []

    def contents(self) -> Contents:
        """All of it, sorted."""
        present, odd = self._listed()
        tags = {name for name in present if name.endswith(TAGS_SUFFIX)}
        candidates = sorted(present - tags)
        expected = {_tags_name(name) for name in candidates}
        images = self._parsed(candidates, present)
        if expected != tags or len(expected) != len(images):  # not each has tags of its own
            images = self._with_tags(images, tags, odd)
        for name in sorted(odd):
            self._reject(name, "is no file; a series folder holds images")
        images, decisive = self._decided(images)
        images, uids = self._of_one_series(images)
        images = self._once(images, uids)
        self._reject_lonely(sorted(tags - expected), set(uids))
        return Contents(
            tuple(images),
            decisive,
            tuple(self._rejected),
            tuple(self._trouble),
            self._forced,
            frozenset(present | odd),
            tuple(self._conflicts),
        )

    def _listed(self) -> tuple[set[str], set[str]]:
        """The names of the regular files, and of all else, in one look."""
        present, odd = set[str](), set[str]()
        with os.scandir(self._folder) as entries:
            for entry in entries:
                (present if entry.is_file(follow_symlinks=False) else odd).add(entry.name)
        self._forced: str | None = None
        if FORCE_RULE_FILE in present or FORCE_RULE_FILE in odd:
            self._forced = forced_rule(self._folder)
            present.discard(FORCE_RULE_FILE)
            odd.discard(FORCE_RULE_FILE)
        return present, odd

    def _parsed(self, candidates: list[str], present: set[str]) -> list[str]:
        """Take out what is hidden, and what a receiver could not parse with what it says of it."""
        failed: dict[str, list[str]] = {}
        for error in [name for name in candidates if name.endswith(ERROR_SUFFIX)]:
            about = image_of(error, present) or error
            failed.setdefault(about, []).append(error)
            lock = error + LOCK_SUFFIX
            failed[about] += [lock] if lock in present else []
        long = any(len(os.fsencode(name)) > _LONGEST for name in candidates)
        if not failed and not long and not any(name[0] == "." for name in candidates[:1]):
            return candidates  # "." sorts before letters and digits
        about_errors = {name for names in failed.values() for name in names}
        parsed: list[str] = []
        for name in candidates:
            if name in failed:
                beside = tuple(each for each in failed[name] if each != name)
                said = message_of(self._folder / failed[name][0])
                # It may name the patient: what comes behind the first line is not logged (logs).
                reason = f"the receiver could not parse '{name}':\n{said}"
                self._rejected.append(Rejected(name, reason, beside))
            elif name in about_errors:
                continue
            elif name.startswith("."):
                self._reject(name, "is hidden; a series folder holds images")
            elif len(os.fsencode(name)) > _LONGEST:
                self._reject(name, f"has a name of more than {_LONGEST} bytes; shorten it")
            else:
                parsed.append(name)
        return parsed

    def _with_tags(self, candidates: list[str], tags: set[str], odd: set[str]) -> list[str]:
        """The images that have tags, or have got them now; what is no image is rejected."""
        images: list[str] = []
        for name in candidates:
            beside = _tags_name(name)
            if beside in tags:
                images.append(name)
            elif beside in odd:
                odd.discard(beside)
                self._rejected.append(Rejected(name, f"'{beside}' is no file; expected its tags"))
            else:
                try:
                    self._make(self._folder / name)
                except TagsError as error:
                    self._rejected.append(Rejected(name, str(error)))
                else:
                    images.append(name)
                    self.bare.append(name)
        return images

    def _decided(self, images: list[str]) -> tuple[list[str], Tags]:
        """The images from the first on that has good tags, and these; those before are rejected."""
        for number, name in enumerate(images):
            try:
                tags, trouble = self._read(self._folder / name)
            except TagsError as error:
                self._rejected.append(Rejected(name, str(error)))
            else:
                self._trouble += [trouble] if trouble else []
                return images[number:], tags
        return [], {}

    def _of_one_series(self, images: list[str]) -> tuple[list[str], list[str]]:
        """The images that are of the series of the first, each with its SOPInstanceUID.

        The first does not decide for those of another series. The UIDs are in the names that a
        receiver gives; the tags of any other image are read. A UID that cannot be found is empty.
        """
        if usual := _usual_uids(images):
            return images, usual
        taken: list[str] = []
        uids: list[str] = []
        series = None
        for name in images:
            try:
                of_series, uid = self._uids_of(name)
            except TagsError as error:
                self._rejected.append(Rejected(name, str(error)))
                continue
            if series is None:
                series = of_series
            if of_series == series:
                taken.append(name)
                uids.append(uid)
            else:
                first = f"'{images[0]}'; each needs a folder of its own"
                self._reject(name, f"is of another series than {first}")
        return taken, uids

    def _uids_of(self, name: str) -> tuple[str, str]:
        """SeriesInstanceUID and SOPInstanceUID; raises `TagsError` where neither can be found."""
        if received := _RECEIVED.fullmatch(name):
            return received[1], received[2]
        prefix, separator, _ = name.partition("#")
        try:
            series, uid = self._look_up(self._folder / name)
        except TagsError:
            if separator:
                return prefix, ""
            raise
        return prefix if separator else series, uid

    def _once(self, images: list[str], uids: list[str]) -> list[str]:
        """Leave out images that are there twice; those that only share their UID are told."""
        if len(set(uids)) == len(uids):
            return images
        by_uid: dict[str, list[str]] = {}
        for name, uid in zip(images, uids, strict=True):
            by_uid.setdefault(uid or name, []).append(name)
        twice: list[str] = []
        for uid, names in by_uid.items():
            kept: list[str] = []
            for name in names:
                if any(self._same(name, other) for other in kept):
                    twice.append(name)
                else:
                    kept.append(name)
            if len(kept) > 1:
                self._conflicts.append(uid)
                one = "have the same SOPInstanceUID and different content; all are kept"
                self._trouble.append(f"{_named(kept)} {one}")
        if twice:
            self._trouble.append(
                f"received twice with the same content, kept once: {_named(twice)}"
            )
        left_out = set(twice)
        images = [name for name in images if name not in left_out]
        needed = {_tags_name(name) for name in images}
        for name in twice:
            beside = _tags_name(name)
            self.superfluous += [name] if beside in needed else [name, beside]
        return images

    def _same(self, name: str, other: str) -> bool:
        return filecmp.cmp(self._folder / name, self._folder / other, shallow=False)

    def _reject_lonely(self, lonely: list[str], uids: set[str]) -> None:
        """Tags without an image are rejected, unless their image is there or will follow.

        Such are left by a process that died while it deleted one of two images, and by one that
        was receiving an image when the series was claimed: then the tags have a second name, or
        nothing in them yet (`mroute.spool.arrivals.receiving`).
        """
        for name in lonely:
            if self._is_superfluous(name, uids):
                self.superfluous.append(name)
            else:
                self._reject(name, "has no image beside it")

    def _is_superfluous(self, name: str, uids: set[str]) -> bool:
        status = (self._folder / name).lstat()
        if status.st_nlink > 1 or not status.st_size:
            return True
        if received := _RECEIVED.fullmatch(name.removesuffix(TAGS_SUFFIX)):
            return received[2] in uids
        try:
            return read_uids(self._folder / name)[1] in uids - {""}
        except TagsError:
            return False

    def _reject(self, name: str, what: str) -> None:
        self._rejected.append(Rejected(name, f"'{name}' {what}"))


def _usual_uids(images: list[str]) -> list[str]:
    """The SOPInstanceUIDs of images that are all named as usual, with few steps for each.

    Empty where one is not. The names differ, and so do the UIDs.
    """
    start = images[0].partition("#")[0] + "#" if images else ""
    # They are sorted: what the first and the last begin with, all begin with.
    if not images or not images[-1].startswith(start):
        return []
    if "\n".join(images).count(_IMAGE_SUFFIX) != len(images):
        return []
    first, last = len(start), -len(_IMAGE_SUFFIX)
    uids = [name[first:last] for name in images]
    return uids if _DIGITS.fullmatch("".join(uids)) else []


def _tags_name(name: str) -> str:
    """As `tags_file`, for a name alone: this is done for every file."""
    return name.removesuffix(_IMAGE_SUFFIX) + TAGS_SUFFIX


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(f"'{name}'" for name in names[:_NAMED])
    more = len(names) - _NAMED
    return f"{shown} and {more:,} more" if more > 0 else shown
