"""What a look at 10,000 waiting tasks costs: of a worker in every pass, and of ``mroute spool ls``.

Run by ``python -m tests.benchmarks.queues``. Beside them stands the bare `os.scandir` with a `stat`
of each task file, measured in turns.
"""

from __future__ import annotations

import json
import os
import tempfile
from datetime import timedelta
from pathlib import Path

from click.testing import CliRunner

from mroute.cli import main as mroute
from mroute.spool.layout import Spool
from mroute.spool.waiting import Waiting
from tests.benchmarks.scanning import interleaved
from tests.e2e.sites import ROUTE, write_rules
from tests.unit.spool.test_queue import NOW, REST, make_task

TASKS = 10_000


def bare(queue: Path) -> None:
    with os.scandir(queue) as entries:
        for entry in entries:
            os.stat(os.path.join(entry.path, "task.json"))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        spool = Spool(root / "spool")
        spool.prepare(["outgoing"])
        file = write_rules(root, ROUTE)
        for number in range(TASKS):
            make_task(spool, str(number), retry=NOW + timedelta(minutes=1))
        queue = spool.queue("outgoing")
        again = Waiting("dispatch")

        def listed() -> None:
            result = CliRunner().invoke(mroute, ["spool", "ls", "-c", str(file), "--json"])
            assert len(result.stdout.splitlines()) == TASKS
            json.loads(result.stdout.splitlines()[0])

        medians = interleaved(
            {
                "bare scandir and stat": lambda: bare(queue),
                "the first look of a worker": lambda: Waiting("dispatch").due(queue, NOW, REST),
                "each look after it": lambda: again.due(queue, NOW, REST),
                "mroute spool ls --json": listed,
            }
        )
        for name, seconds in medians.items():
            ratio = seconds / medians["bare scandir and stat"]
            print(f"{seconds * 1000:8.0f} ms  {ratio:6.2f} times  {name}, {TASKS:,} tasks")


if __name__ == "__main__":
    main()
