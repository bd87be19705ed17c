"""What a collecting study is in memory: its images, its series with their tags, its times.

Knows where in the folder each of these is found, and that tags are read when they are looked at.
Does not know when a study is complete.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, overload

from mroute.errors import TagsError, TaskFileError
from mroute.models import ConditionBase, RuleBase
from mroute.spool.layout import TAGS_SUFFIX, TASK_FILE, tags_file
from mroute.spool.studies import read_study
from mroute.spool.tags import read_tags, read_uids
from mroute.spool.taskfile import aware_time
from mroute.types import Check, JsonObject, Study, Tags

_NEVER = datetime.min.replace(tzinfo=UTC)

_RECEIVED = re.compile(r"[^#]*#([0-9]+(?:\.[0-9]+)+)\.dcm")
"""The name that a receiver gives an image: that of its series, and its SOPInstanceUID."""


class _Read(Sequence[Any]):
    """What is read of each of some files; each is read when it is first looked at."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._read: dict[int, Any] = {}

    def __len__(self) -> int:
        return len(self._paths)

    @overload
    def __getitem__(self, at: int) -> Any: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Any]: ...

    def __getitem__(self, at: int | slice) -> Any:
        if isinstance(at, slice):
            return [self[each] for each in range(*at.indices(len(self)))]
        place = range(len(self))[at]
        if place not in self._read:
            self._read[place] = self._of(self._paths[place])
        return self._read[place]

    @abstractmethod
    def _of(self, path: Path) -> Any: ...


class SeriesTags(_Read):
    """The tags of the series whose deciding images are given; none where they cannot be read."""

    def _of(self, path: Path) -> Tags:
        return _tags_beside(path)


class InstanceUids(_Read):
    """The SOPInstanceUID of each image; its name stands in where there is none."""

    def _of(self, path: Path) -> str:
        if received := _RECEIVED.fullmatch(path.name):
            return received[1]
        try:
            return read_uids(tags_file(path))[1] or path.name
        except TagsError:
            return path.name


def read_collected(
    folder: Path,
    claim_id: str,
    parse_rule: Callable[[JsonObject], RuleBase],
    quiet: timedelta,
    checks: Mapping[str, Check],
) -> tuple[Study, RuleBase]:
    """The study in ``folder``, and its rule as it was when the study began.

    ``parse_rule`` makes a rule of what is kept of it. Raises `TaskFileError` where the task file or
    the rule cannot be used.
    """
    content = read_study(folder)
    try:
        rule = parse_rule(content["collection"]["rule"])
        return collected_study(folder, claim_id, content, rule, quiet, checks), rule
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        name = content["collection"]["rule_name"]
        raise TaskFileError(
            f"the study was collected under rule '{name}', which cannot be used any more: {error}"
        ) from error


def collected_study(
    folder: Path,
    claim_id: str,
    content: Mapping[str, Any],
    rule: RuleBase,
    quiet: timedelta,
    checks: Mapping[str, Check],
) -> Study:
    """The study collected in ``folder`` under ``rule``; ``content`` is its task file.

    ``quiet`` and ``checks`` are `Study.quiet_time` and `Study.checks`. Raises `KeyError`,
    `TypeError` or `ValueError` where its study section is not one.
    """
    section, collection = content["study"], content["collection"]
    images = _images_in(folder)
    series = SeriesTags([folder / each["image"] for each in collection.get("series", ())])
    return Study(
        uid=content["info"]["uid"],
        rule_name=collection["rule_name"],
        tags=series[0] if series else _first_tags(folder, images),
        images=images,
        claim_id=claim_id,
        section=section,
        condition=rule.study,
        descriptions=tuple(section["received_series"]),
        created_at=aware_time(section["creation_time"]),
        last_received_at=aware_time(section["last_receive_time"]),
        quiet_time=quiet,
        series=series,
        instance_uids=InstanceUids([folder / name for name in images]),
        trouble=tuple(collection.get("trouble", ())),
        checks=checks,
        collection=collection,
        journal=content["journal"],
    )


def unusable_study(folder: Path, claim_id: str, uid: str, rule_name: str) -> Study:
    """A study of which only the name of its folder and its images are known."""
    images = _images_in(folder)
    return Study(
        uid=uid,
        rule_name=rule_name,
        tags=_first_tags(folder, images),
        images=images,
        claim_id=claim_id,
        section={},
        condition=ConditionBase(complete="unknown"),
        descriptions=(),
        created_at=_NEVER,
        last_received_at=_NEVER,
        quiet_time=timedelta(),
    )


def _images_in(folder: Path) -> tuple[str, ...]:
    return tuple(
        sorted(
            path.name
            for path in folder.iterdir()
            if not path.name.startswith((".", TASK_FILE)) and path.suffix != TAGS_SUFFIX
        )
    )


def _first_tags(folder: Path, images: tuple[str, ...]) -> Tags:
    """The tags of the first image that has some."""
    return next(filter(None, (_tags_beside(folder / name) for name in images)), {})


def _tags_beside(image: Path) -> Tags:
    try:
        return read_tags(tags_file(image))[0]
    except TagsError:
        return {}
