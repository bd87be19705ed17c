"""How long ``mroute validate-rules`` takes on a small file, beside ``import pydantic``.

Run by ``python -m tests.benchmarks.start_up``. The target is a ratio of 8 at most.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 15
RULES = """\
version: 1
targets: {archive: {type: folder, path: archive}}
rules:
  thin:
    when: tags.Modality == 'CT' and tags.SliceThickness < 2
    action: route
    targets: [archive]
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "mroute.yaml")
        file.write_text(RULES)
        mroute = str(Path(sys.executable).with_name("mroute"))
        kept, empty = str(Path(folder, "cache")), ""
        commands = {
            "import pydantic": ([sys.executable, "-c", "import pydantic"], empty),
            "validate-rules": ([mroute, "validate-rules", str(file)], kept),
            "validate-rules, no cache": ([mroute, "validate-rules", str(file)], empty),
        }
        found: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for name, (command, cache) in commands.items():
                environment = {
                    **os.environ,
                    "MROUTE_CACHE_DIR": cache,
                    "PYTHONDONTWRITEBYTECODE": "",
                }
                before = time.perf_counter()
                subprocess.run(command, check=True, capture_output=True, env=environment)
                found[name].append(time.perf_counter() - before)
    medians = {name: statistics.median(times) for name, times in found.items()}
    reference = medians["import pydantic"]
    for name, seconds in medians.items():
        print(f"{seconds * 1000:8.0f} ms  {seconds / reference:5.2f} times  {name}")


if __name__ == "__main__":
    main()
