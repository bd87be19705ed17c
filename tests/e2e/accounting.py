"""A site with every kind of rule, series for it, and where each image of them must be in the end.

Knows the places that the plans for these series name. Does not know what goes wrong on the way:
whatever that is, the account must be the same.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from mroute.api import ChannelBase, ChannelType, Delivery, Notice, PlanContext, hookimpl
from mroute.hooks import Hooks
from mroute.registry import Registry
from mroute.spool.layout import PARTIAL_SUFFIX
from tests.e2e.sites import drop, later, plugins_with, write_rules

RULES = """\
version: 1
timing: {series_complete_after: 0s, study_complete_after: 0s, retry_after: 1m}
targets:
  pacs: {type: folder, path: pacs}
  archive: {type: folder, path: archive}
  museum: {type: folder, path: museum}
modules:
  copy: {runner: command, command: [sh, -c, 'cp "$MROUTE_IN_DIR"/*.dcm "$MROUTE_OUT_DIR"']}
rules:
  drop: {when: "tags.Modality == 'CT'", action: discard}
  send: {when: "tags.Modality == 'MR'", action: route, targets: [pacs, archive]}
  also: {when: "tags.Modality == 'MR'", action: route, targets: [archive]}
  work: {when: "tags.Modality == 'MR'", action: process, modules: [copy]}
  collect: {when: "tags.Modality == 'MR'", action: route, targets: [museum], on: study,
            study: {complete: received_series, series: "'T1' and 'T2'"}}
  tell: {when: "tags.Modality in ['MR', 'SR']", action: notification, notify: [{channel: bell}]}
"""

TARGETS = ("pacs", "archive", "museum")
PLACES = (*TARGETS, "spool/success", "spool/discard", "spool/error")
WAITING = ("incoming", "studies", "outgoing", "processing", ".staging", "outbox")

_PLAN = {
    "MR": {"pacs": 1, "archive": 1, "museum": 1, "spool/success": 4},
    "CT": {"spool/discard": 1},
    "SR": {"spool/success": 1},
    "OT": {"spool/discard": 1},
}
"""How often an image of a series of that modality is in each place.

A task that was sent to a folder goes to ``success/`` with its images, and so does one that was
processed: of an image of MR there are those of two routes, of the processing and of the study.
"""


@dataclass(frozen=True, slots=True)
class Account:
    """A site at ``root``, and the images that went in: series by modality, with their number."""

    root: Path
    series: Mapping[str, tuple[str, int]]

    @classmethod
    def open(cls, root: Path, studies: int, images: int) -> Account:
        """Write the rule file, and drop the series of a number of studies."""
        root.mkdir(parents=True, exist_ok=True)
        write_rules(root, RULES)
        account = cls(root, {})
        for study in range(studies):
            account = account.with_study(study, images)
        return account

    def with_study(self, study: int, images: int) -> Account:
        """Let the series of another study arrive, each as a whole."""
        series = dict(self.series)
        for number, modality in enumerate(("MR", "MR", "CT", "SR", "OT"), 1):
            uid = f"{study}.{number}"
            tags = {"Modality": modality, "SeriesDescription": f"T{number}"}
            elsewhere = self.root.with_name(f"{self.root.name}.elsewhere")
            folder = drop(elsewhere, uid, images, StudyInstanceUID=f"9.{study}", **tags)
            incoming = self.root / "spool" / "incoming"
            incoming.mkdir(parents=True, exist_ok=True)
            folder.rename(incoming / uid)
            series[uid] = modality, images
        return replace(self, series=series)

    def plugins(self) -> tuple[Hooks, Registry]:
        """The default plugins, and the one that rings."""
        return plugins_with(ringing=Ringing(self.heard))

    @property
    def heard(self) -> Path:
        """The file of what the channel delivered, a line each."""
        return self.root.with_name(f"{self.root.name}.heard")

    def expected(self) -> dict[str, Counter[str]]:
        """How often each image is in each place in the end, by its content."""
        places: dict[str, Counter[str]] = {place: Counter() for place in PLACES}
        for uid, (modality, images) in self.series.items():
            for place, times in _PLAN[modality].items():
                places[place] += Counter({f"{uid}#{number}": times for number in range(images)})
        return places

    def found(self) -> dict[str, Counter[str]]:
        """How often each image is in each place now, but for what is still being copied."""
        return {
            place: Counter(
                path.read_text()
                for path in (self.root / place).rglob("*.dcm")
                if path.parent.suffix != PARTIAL_SUFFIX
            )
            for place in PLACES
        }

    def present(self) -> set[str]:
        """The images that are anywhere."""
        return {path.read_text() for path in self.root.rglob("*.dcm")}

    def images(self) -> set[str]:
        """The images that went in."""
        return {f"{uid}#{n}" for uid, (_, images) in self.series.items() for n in range(images)}

    def left(self) -> list[str]:
        """What is left where nothing may wait any more, and what is half written anywhere."""
        spool = self.root / "spool"
        waiting = [path for place in WAITING for path in (spool / place).rglob("*")]
        hidden = [path for path in self.root.rglob(".*") if spool not in path.parents]
        partial = self.root.rglob("*.part")
        return sorted(
            str(path.relative_to(self.root))
            for path in {*waiting, *hidden, *partial}
            if not (_is_lock(path) or _is_memory(path))
        )

    def waiting(self) -> dict[str, int]:
        """How many files wait in each folder of the spool."""
        found = {
            place: sum(
                path.is_file() and not _is_memory(path)
                for path in (self.root / "spool" / place).rglob("*")
            )
            for place in WAITING
        }
        return {place: number for place, number in found.items() if number}

    def rung(self) -> Counter[str]:
        """How often each notification was delivered."""
        return Counter(self.heard.read_text().splitlines() if self.heard.exists() else ())

    def reasons(self) -> list[str]:
        """Why each dead letter is one."""
        letters = (self.root / "spool" / "error").glob("*")
        return [json.loads((path / "reason.json").read_text())["reason"] for path in letters]

    def check_intact(self, why: str) -> None:
        """Assert that each image is somewhere, in no place too often, and what is there is whole.

        In the midst of it all a study may wait for a series that is in ``error/``.
        """
        assert self.images() <= self.present(), f"{why}: {self.images() - self.present()} are lost"
        expected, found = self.expected(), self.found()
        for place in (*TARGETS, "spool/success", "spool/discard"):
            assert found[place] <= expected[place], f"{why}: too often in {place}"
        assert all(self.reasons()), why

    def check(self, why: str = "") -> None:
        """Assert that everything is where the plans say, once, and nothing anywhere else.

        A notification that was interrupted is delivered again.
        """
        assert self.found() == self.expected(), why
        assert self.left() == [], why
        told = [modality for modality, _ in self.series.values() if modality in ("MR", "SR")]
        assert len(self.rung()) == 2 * len(told), why
        for place in PLACES:
            for task in (self.root / place).iterdir():
                assert json.loads((task / "task.json").read_text())["id"] == task.name, why


def much_later() -> datetime:
    """A clock for which what waits to be tried again is due."""
    return later() + timedelta(hours=1)


def _is_memory(path: Path) -> bool:
    """Whether it is what is remembered of studies that went on, or the folder of that."""
    return path.name == ".gone-on" or (path.parent.name == ".gone-on" and path.suffix != ".part")


def _is_lock(path: Path) -> bool:
    """Locks stay, and so do words of runs that died, and what is known of targets."""
    return "locks" in path.parts or path.name == ".lock"


class Bell(ChannelBase):
    """A channel that rings."""

    channel: Literal["bell"]


class Ringing:
    """The plugin that has the channel: what it delivers is a line in a file."""

    def __init__(self, heard: Path) -> None:
        self._heard = heard

    @hookimpl
    def mroute_notification_channels(self) -> list[ChannelType]:
        return [ChannelType("bell", Bell, self._ring)]

    @hookimpl
    def mroute_notification(self, notice: Notice, context: PlanContext) -> Iterator[Delivery]:
        for channel in notice.rule.notify:
            if isinstance(channel, Bell):
                yield Delivery("bell", notice.rule_name, notice.event, notice.task_id, {}, "rung")

    def _ring(self, delivery: Delivery, settings: Mapping[str, BaseModel]) -> None:
        line = f"{delivery.event.value} {delivery.task_id}\n".encode()
        descriptor = os.open(self._heard, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, line)
        os.close(descriptor)
