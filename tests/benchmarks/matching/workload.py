"""The seeded workload: as many rules and series as are asked for, the same in every run."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cached_property

from tests.benchmarks.matching import rules, scanners
from tests.benchmarks.matching.scanners import Scanner

SEED = 4
Tags = dict[str, str]


class Workload:
    """Rules and series of one hospital network; ``seed`` says which."""

    def __init__(self, seed: int = SEED) -> None:
        self._seed = seed

    @cached_property
    def fleet(self) -> tuple[Scanner, ...]:
        """The scanners."""
        return scanners.scanners(random.Random(f"{self._seed} scanners"))

    def rules(self, count: int) -> dict[str, str]:
        """The conditions of ``count`` rules by name; fewer are the first of more."""
        draw = random.Random(f"{self._seed} rules")
        return {f"rule-{number:06d}": rules.rule(draw, self.fleet) for number in range(count)}

    def series(self, count: int, label: str) -> list[Tags]:
        """The tags of ``count`` series; those of another ``label`` are other series."""
        draw = random.Random(f"{self._seed} series {label}")
        return [scanners.series(draw, self.fleet) for _ in range(count)]


def seen(before: Sequence[Tags], after: Sequence[Tags], names: Sequence[str]) -> float:
    """The share of values of the tags ``names`` in ``after`` that occurred ``before``."""
    known = {(name, tags.get(name)) for tags in before for name in names}
    asked = [(name, tags.get(name)) for tags in after for name in names]
    return sum(each in known for each in asked) / len(asked)
