"""What keeps images from the targets, as the type of each finds out.

Knows how a type is asked, and what it may answer. Does not know any type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from mroute.doctor.at_once import Unanswered, at_once
from mroute.models import TargetBase
from mroute.registry import Registry


def target_checks(
    registry: Registry,
    targets: Mapping[str, TargetBase],
    files: Callable[[str], Iterable[Path]] = lambda name: (),
) -> dict[str, Callable[[], list[str]]]:
    """For each target the call that gives a sentence for each thing that is wrong with it.

    ``files(name)`` are images that the target is to take.
    """
    return {
        name: partial(_complaints, registry, name, target, files)
        for name, target in targets.items()
    }


def check_targets(checks: Mapping[str, Callable[[], list[str]]]) -> dict[str, Sequence[str]]:
    """What is wrong with each target; a type that fails over that says so."""
    return {
        name: [f"it cannot be checked: {answer.because}"]
        if isinstance(answer, Unanswered)
        else answer
        for name, answer in at_once(checks).items()
    }


def sentences(result: Iterable[str]) -> list[str]:
    """What a plugin says, whose author may have forgotten the list around one sentence."""
    return [result] if isinstance(result, str) else [str(each) for each in result]


def _complaints(
    registry: Registry, name: str, target: TargetBase, files: Callable[[str], Iterable[Path]]
) -> list[str]:
    return sentences(registry.target_types[target.type].check(name, target, tuple(files(name))))
