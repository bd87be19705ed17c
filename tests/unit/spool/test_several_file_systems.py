"""A commit whose queues are on another file system than the rest of the spool: everything once.

Knows a real second file system (``/dev/shm``). Does not know how a folder crosses over.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from mroute.spool.files import Files
from mroute.spool.layout import Spool
from mroute.types import Plan, Series
from tests.faults import Killed, fault
from tests.unit.spool.commits import MakePlan, one_task, route_all, route_plan
from tests.unit.spool.conftest import UID, MakeSeries, left_in_staging

IMAGES = Counter(f"{UID}#{number}.dcm" for number in range(3))


@pytest.fixture
def elsewhere(spool: Spool) -> Iterator[Path]:
    """Another file system, with the queue ``outgoing`` and all ends of tasks on it."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        assert Path(folder).stat().st_dev != spool.root.stat().st_dev
        for name in ("outgoing", "success"):
            (spool.root / name).rmdir()
            (spool.root / name).symlink_to(Path(folder, name))
            Path(folder, name).mkdir()
        yield Path(folder)


def three_tasks(series: Series) -> Plan:
    return Plan((route_plan(), route_plan(key="archive"), route_plan("processing")))


@pytest.mark.parametrize(("make_plan", "copies"), [(one_task, 1), (three_tasks, 2)])
def test_a_commit_to_another_file_system_killed_anywhere_comes_to_the_same_end(
    tmp_path: Path,
    spool: Spool,
    files: Files,
    make_series: MakeSeries,
    elsewhere: Path,
    make_plan: MakePlan,
    copies: int,
) -> None:
    at, killed = 0, True
    while killed:
        make_series()
        killed = False
        with fault(tmp_path, at):
            try:
                route_all(spool, files, make_plan)
            except Killed:
                killed = True
        for task in (elsewhere / "outgoing").glob("[!.]*"):  # fast workers take what is there
            task.rename(elsewhere / "success" / task.name)
        route_all(spool, files, make_plan)
        found = Counter(path.name for path in elsewhere.rglob("*.dcm"))
        assert found == Counter(dict.fromkeys(IMAGES, copies)), f"killed at operation {at}"
        here = Counter(path.name for path in spool.queue("processing").rglob("*.dcm"))
        assert here == (IMAGES if copies > 1 else Counter()), f"killed at operation {at}"
        assert left_in_staging(spool) == []
        for folder in (*elsewhere.iterdir(), spool.queue("processing")):
            shutil.rmtree(folder)
            folder.mkdir()
        at += 1
    assert at > 15, "the faults did not reach the commit"
