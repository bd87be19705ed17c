"""Rule files of the workload, and what loading one costs in a fresh process.

Run by the benchmark as ``python -m tests.benchmarks.matching.files FILE``; prints one JSON object.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tests.benchmarks.matching.workload import Workload

_TARGETS = "targets: {archive: {type: folder, path: archive}}"
_KNOWN, _UNSEEN = 1_000, 200


def write(file: Path, rules: Mapping[str, str]) -> None:
    """Write a rule file; all rules send to one folder."""
    lines = ["version: 1", _TARGETS, "rules:"]
    for name, when in rules.items():
        lines += [
            f"  {name}:",
            f"    when: {json.dumps(when, ensure_ascii=False)}",
            "    action: route",
            "    targets: [archive]",
        ]
    file.write_text("\n".join(lines) + "\n", "utf-8")


def in_a_process(file: Path, cache: Path) -> dict[str, float]:
    """What `load` measures, with the parsed rules kept in ``cache``."""
    answer = subprocess.run(
        [sys.executable, "-m", __name__, str(file)],
        check=True,
        stdout=subprocess.PIPE,
        env={**os.environ, "MROUTE_CACHE_DIR": str(cache)},
    )
    found: dict[str, float] = json.loads(answer.stdout)
    return found


def load(file: Path) -> dict[str, float]:
    """Load the rules and match series that were not seen before."""
    import mroute

    began = time.perf_counter()
    rules = mroute.load_rules(file)
    loaded = time.perf_counter() - began
    workload, times = Workload(), []
    began = time.perf_counter()
    rules.evaluate({})
    first = time.perf_counter() - began
    for tags in workload.series(_KNOWN, "known"):
        rules.evaluate(tags)
    for tags in workload.series(_UNSEEN, "unseen"):
        before = time.perf_counter()
        _ = rules.evaluate(tags).triggered
        times.append(time.perf_counter() - before)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"load": loaded, "first": first, "match": statistics.fmean(times), "peak": peak}


if __name__ == "__main__":
    print(json.dumps(load(Path(sys.argv[1]))))
