"""How long the worst expressions take on 100 tags of 1 KiB.

Run by ``python -m tests.benchmarks.worst_expressions``. The bound is stated in
docs/reference/rule-language.md.
"""

from __future__ import annotations

import time

from mroute.expr import compile_text
from tests.unit.expr.worst import BIG, WORST

ROUNDS = 5
BOUND = 0.5
"""Seconds."""


def main() -> None:
    programs = {name: compile_text(text) for name, text in WORST.items()}
    best = dict.fromkeys(programs, float("inf"))
    for _ in range(ROUNDS):
        for name, program in programs.items():
            began = time.process_time()
            program.value(BIG)
            best[name] = min(best[name], time.process_time() - began)
    for name, seconds in sorted(best.items(), key=lambda item: -item[1]):
        print(f"{seconds * 1000:8.1f} ms  {name}")
    worst = max(best.values())
    print(f"the worst takes {worst / BOUND:.2f} times the stated bound of {BOUND} s")


if __name__ == "__main__":
    main()
