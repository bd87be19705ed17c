"""What is deleted when: by age, by hour, and where a disk is nearly full."""

from __future__ import annotations

import shutil
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from mroute.api import Finish, FinishedTask, ServiceContext
from mroute_housekeeping.settings import HousekeepingSettings, is_wanted
from mroute_housekeeping.sweep import free_percent, keep_house, sweep

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass
class House:
    """A disk of so many tasks of one size each, with what lies on it."""

    root: Path
    size: int = 10
    other: int = 0
    removed: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    immortal: set[str] = field(default_factory=set)
    stop: threading.Event = field(default_factory=threading.Event)

    def add(self, queue: Finish, name: str, days: float) -> None:
        folder = self.root / queue / name
        folder.mkdir(parents=True)
        (folder / "age").write_text(str(days))

    def finished(self) -> list[FinishedTask]:
        found = [
            FinishedTask(path.name, Finish(path.parent.name), self._at(path), path)
            for path in self.root.glob("*/*")
        ]
        return sorted(found, key=lambda task: (task.at, task.id))

    def _at(self, path: Path) -> datetime:
        return NOW - DAY * float((path / "age").read_text())

    def remove(self, task: FinishedTask, because: str) -> None:
        if task.id in self.immortal:
            raise PermissionError(1, "Operation not permitted")
        self.removed.append(f"{task.id}: {because}")
        shutil.rmtree(task.path)

    def free(self, folder: Path) -> float:
        return 100 * (self.size - self.other - len(self.finished())) / self.size

    def sweep(self, now: datetime = NOW, **settings: Any) -> list[str]:
        """The tasks that are removed."""
        self.removed.clear()
        context = ServiceContext(
            clock=lambda: now,
            settings={},
            receive=lambda path, tags: path,
            stop=self.stop,
            workspace=self.root,
            notice=lambda where, detail: self.told.append(detail),
            finished=self.finished,
            remove=self.remove,
        )
        sweep(context, HousekeepingSettings.model_validate(settings), self.free)
        return self.removed


@pytest.fixture
def house(tmp_path: Path) -> House:
    found = House(tmp_path)
    for name, days in {"new": 0.5, "old": 3, "future": -2}.items():
        found.add(Finish.SUCCESS, f"done-{name}", days)
        found.add(Finish.DISCARD, f"unwanted-{name}", days)
    return found


def test_what_was_kept_long_enough_goes(house: House) -> None:
    assert house.sweep(min_free=0) == []
    assert house.sweep(min_free=0, success="3d") == []
    assert house.sweep(min_free=0, success="71h") == ["done-old: it was kept for 3.0 days"]
    assert house.sweep(min_free=0, discard="1h") == [
        "unwanted-old: it was kept for 3.0 days",
        "unwanted-new: it was kept for 0.5 days",
    ]
    assert house.told == []


def test_only_in_its_hours(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    hour = NOW.astimezone().hour
    other = f"{(hour + 2) % 24:02}:00-{(hour + 3) % 24:02}:00"
    assert house.sweep(min_free=0, success="1d", hours=other) == []
    this = f"{hour:02}:00-{(hour + 1) % 24:02}:00"
    assert len(house.sweep(min_free=0, success="1d", hours=this)) == 1


def test_where_a_disk_is_nearly_full_the_oldest_go_until_there_is_room(house: House) -> None:
    house.other = 3  # of ten: what is not finished; with six tasks, 10 % are free
    assert house.sweep(min_free=10) == []
    house.other = 4
    gone = house.sweep(min_free=25, hours="00:00-00:01")
    assert gone == [f"{name}: less than 25 % of its disk was free" for name in _oldest(house, 3)]
    assert house.free(house.root) == pytest.approx(30)
    assert house.told == []


def _oldest(house: House, number: int) -> list[str]:
    return ["done-old", "unwanted-old", "done-new"][:number]


def test_at_99_per_cent_all_goes_that_may_and_the_rest_is_told(house: House) -> None:
    house.size, house.other = 106, 105
    assert len(house.sweep(min_free=5)) == 6
    assert house.finished() == []
    (told,) = house.told
    assert told.startswith("less than 5 % are free in '")
    assert "and nothing is left there that may be deleted: make room" in told


def test_one_that_cannot_be_deleted_keeps_no_other(house: House) -> None:
    house.immortal.add("done-old")
    assert house.sweep(min_free=0, success="1h") == ["done-new: it was kept for 0.5 days"]
    (told,) = house.told
    assert told == f"'{house.root}/success/done-old' cannot be deleted: Operation not permitted"
    house.other = 4
    assert len(house.sweep(min_free=20)) == 1


def test_asked_to_stop_it_deletes_nothing_more(house: House) -> None:
    house.other = 4
    house.stop.set()
    assert house.sweep(min_free=50, success="1h") == []


def test_it_looks_again_and_again_until_it_is_stopped(house: House) -> None:
    looks = list[int]()

    def finished() -> list[FinishedTask]:
        looks.append(1)
        if len(looks) == 3:
            house.stop.set()
        return []

    settings = HousekeepingSettings.model_validate({"every": "0s"})
    context = ServiceContext(
        clock=lambda: NOW,
        settings={"housekeeping": settings},
        receive=lambda path, tags: path,
        stop=house.stop,
        workspace=house.root,
        finished=finished,
    )
    keep_house(context, house.free)
    assert len(looks) == 3


def test_it_runs_where_it_is_asked_for(tmp_path: Path) -> None:
    assert not is_wanted({})
    assert is_wanted({"housekeeping": HousekeepingSettings()})
    assert 0 < free_percent(tmp_path) < 100


@pytest.mark.parametrize("settings", [{"min_free": 91}, {"success": "soon"}, {"error": "1d"}])
def test_what_cannot_be_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        HousekeepingSettings.model_validate(settings)
