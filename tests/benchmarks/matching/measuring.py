"""Measures several ways to match the same series, in turns, so that all have the same machine.

A time is that of a block of series, each matched once by everybody, divided by their number; so
what is slow for some series only is in it. Medians are those of the blocks, and a ratio is the
median of the ratios within the blocks. The collector of garbage is off meanwhile, as in timeit.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.benchmarks.matching.workload import Tags

Match = Callable[[Mapping[str, str]], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Way:
    """A way to match; ``prepare`` is called before each series, and its time does not count."""

    match: Match
    prepare: Callable[[], None] | None = None


def measured(
    ways: Mapping[str, Way], blocks: Sequence[Sequence[Tags]], seconds: float
) -> dict[str, list[float]]:
    """The seconds a series of each of the ``ways``, for each block.

    Stops after the block in which ``seconds`` have passed. `AssertionError` where two ways do not
    find the same rules.
    """
    found: dict[str, list[float]] = {name: [] for name in ways}
    order = list(ways)
    began = time.perf_counter()
    gc.collect()
    gc.disable()
    try:
        for block in blocks:
            answers = []
            for name in order:
                spent, answer = _block(ways[name], block)
                found[name].append(spent)
                answers.append(answer)
            for answer in answers:
                assert answer == answers[0], f"{order} do not find the same rules"
            order = [*order[1:], order[0]]
            if time.perf_counter() - began > seconds:
                break
    finally:
        gc.enable()
    return found


def ratio(times: Sequence[float], others: Sequence[float]) -> float:
    """The median of ``times`` beside the ``others`` of the same blocks."""
    return statistics.median(a / b for a, b in zip(times, others, strict=True))


def _block(way: Way, block: Sequence[Tags]) -> tuple[float, list[list[str]]]:
    answers, spent = [], 0.0
    match, prepare, clock = way.match, way.prepare, time.perf_counter
    for tags in block:
        if prepare is not None:
            prepare()
        before = clock()
        answer = match(tags)
        spent += clock() - before
        answers.append(answer)
    return spent / len(block), [list(answer) for answer in answers]
