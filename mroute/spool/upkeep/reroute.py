"""A dead letter of routing is routed anew: its images go back into ``incoming/``.

Knows what of a dead letter is an image and what is about it. Does not know why it failed. Each
image is in one place at any moment, so this may be repeated after it was interrupted anywhere.
"""

from __future__ import annotations

import errno
from contextlib import suppress
from pathlib import Path

from mroute.errors import RedriveError, TagsError, UnsafeNameError
from mroute.names import safe_name
from mroute.spool.arrivals.errorfiles import ERROR_SUFFIX, image_of
from mroute.spool.arrivals.receiving import receive
from mroute.spool.files import Files
from mroute.spool.goneon import forget
from mroute.spool.layout import (
    COPIED_PREFIX,
    FORCE_COMPLETE_FILE,
    FORCE_RULE_FILE,
    JOINING_PREFIX,
    LEASE_FILE,
    PARTIAL_SUFFIX,
    REASON_FILE,
    TAGS_SUFFIX,
    TASK_FILE,
    Spool,
    tags_file,
)
from mroute.spool.manifest import kept_name
from mroute.spool.tags import ReadImage, read_tags
from mroute.spool.upkeep.item import Item, images_in
from mroute.types import Tags

_FORCED = ".forced"
"""In a dead letter whose series is forced: the series folder that is being put together."""


REDRIVEN_FILE = ".redriven.json"
"""The reason of a dead letter that is on its way back to its queue."""

_ABOUT = (TASK_FILE, REASON_FILE, f"{TASK_FILE}.kept", kept_name(FORCE_RULE_FILE))
"""What a dead letter holds that is not to be routed."""


_HIDDEN = (
    LEASE_FILE,
    REDRIVEN_FILE,
    FORCE_RULE_FILE,
    FORCE_COMPLETE_FILE,
    f".{REASON_FILE}{PARTIAL_SUFFIX}",
)
_HIDDEN_SUFFIXES = (TAGS_SUFFIX, ERROR_SUFFIX, f"{TASK_FILE}{PARTIAL_SUFFIX}")


def leftovers(folder: Path) -> list[str]:
    """The files of a dead letter that are not about mroute, sorted."""
    return sorted(
        path.name
        for path in folder.iterdir()
        if path.name not in _ABOUT and not _is_hidden(path.name)
    )


def _is_hidden(name: str) -> bool:
    """Whether it is mroute that has hidden the file; others hide images, too."""
    own = name in _HIDDEN or name.startswith(JOINING_PREFIX)
    return name[0] == "." and (own or name.endswith(_HIDDEN_SUFFIXES))


def reroute(
    spool: Spool, files: Files, item: Item, read_image: ReadImage, only_rule: str = ""
) -> str:
    """Put the images of a dead letter back into ``incoming/``; says how many.

    Where the letter is for one rule, ``only_rule``, its images are routed for that alone: what
    other rules do with them is done. Raises `RedriveError` with the names of those that cannot be
    read: they stay.
    """
    forced = _force_rule(item.path)
    if forced is None and only_rule:
        forced = item.path / FORCE_RULE_FILE
        files.write(forced, only_rule.encode("utf-8"))
    present = set(leftovers(item.path))
    about = {name: image_of(name, present) for name in present if name.endswith(ERROR_SUFFIX)}
    images = sorted(
        name for name in present - about.keys() if not name.endswith((TAGS_SUFFIX, _FORCED))
    )
    moved, trouble = 0, list[str]()
    for name in images:
        path = item.path / name
        try:
            tags = _tags(path, read_image)
            # Hidden, what is about an image is nobody's once the image has gone.
            for each in (tags_file(path).name, *(key for key in about if about[key] == name)):
                with suppress(FileNotFoundError):
                    (item.path / each).rename(item.path / f".{each}")
            _give_back(spool, files, item, path, tags, forced)
        except (TagsError, UnsafeNameError) as error:
            said = str(error)
            trouble.append(said if said.startswith(f"'{name}'") else f"'{name}': {said}")
            continue
        moved += 1
    if forced is not None:
        moved = max(moved, _publish(spool, files, item))
    plural = "image" if moved == 1 else "images"
    rest = leftovers(item.path)
    if rest:
        trouble = trouble or [f"'{name}' is no image" for name in rest]
        raise RedriveError(
            f"'{item.id}': {moved} {plural} went back to 'incoming'; the rest stays: "
            + "; ".join(trouble)
        )
    return f"'{item.id}': {moved} {plural} went back to 'incoming'"


def _force_rule(folder: Path) -> Path | None:
    places = (folder / name for name in (FORCE_RULE_FILE, kept_name(FORCE_RULE_FILE)))
    return next(filter(Path.exists, places), None)


def _tags(image: Path, read_image: ReadImage) -> Tags:
    if image.is_dir() or image.is_symlink():
        raise TagsError("it is no file")
    beside = tags_file(image)
    for path in (beside, beside.with_name(f".{beside.name}")):
        with suppress(TagsError):
            return read_tags(path)[0]
    return read_image(image)


def _give_back(
    spool: Spool, files: Files, item: Item, image: Path, tags: Tags, forced: Path | None
) -> None:
    if forced is None:
        receive(spool, files, image, tags)
        return
    uids = [tags.get(key, "") for key in ("SeriesInstanceUID", "SOPInstanceUID")]
    if not all(uids):
        raise TagsError("it has no SeriesInstanceUID or no SOPInstanceUID")
    rule = forced.read_text("utf-8").strip()
    with suppress(UnsafeNameError):  # such a study there never was
        # Whoever is sent back is late for nothing: a study of the rule begins anew.
        forget(spool, spool.study(tags.get("StudyInstanceUID", ""), rule).name)
    # The rule must be there before the images are, so the series is put together out of reach.
    series = item.path / _FORCED / safe_name(uids[0], "SeriesInstanceUID")
    series.mkdir(parents=True, exist_ok=True)
    files.write(series / FORCE_RULE_FILE, forced.read_bytes())
    files.write_json(tags_file(series / image.name), dict(tags))
    image.rename(series / image.name)


def _publish(spool: Spool, files: Files, item: Item) -> int:
    """Rename the series that were put together into ``incoming/``; returns how many images."""
    images = 0
    for name in sorted({path.name.removeprefix(COPIED_PREFIX) for path in _series(item)}):
        series = item.path / _FORCED / name
        with suppress(FileNotFoundError):
            images += images_in(series)
        try:
            files.move_folder(series, spool.incoming / name)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
            raise RedriveError(
                f"'{item.id}': series '{name}' is arriving now; try again when it is routed"
            ) from error
    with suppress(FileNotFoundError):
        (item.path / _FORCED).rmdir()
    return images


def _series(item: Item) -> list[Path]:
    made = item.path / _FORCED
    return [*made.glob("[!.]*"), *made.glob(f"{COPIED_PREFIX}*")]
