"""The conditions ``any_of`` and ``all_of``: several conditions, be they of any plugin.

Knows how their verdicts are put together. Does not know any of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from pydantic import Field

from mroute.api import ConditionBase, Conditions, Study, Verdict

_EXAMPLES = [
    [{"complete": "received_series", "series": "'T1' and 'T2'"}, {"complete": "timeout"}],
]


class AnyOfCondition(ConditionBase):
    """The study is complete when one of several conditions is met."""

    complete: Literal["any_of"]
    conditions: Conditions = Field(
        description="The conditions, each as a section `study` has it; one of them is enough.",
        examples=_EXAMPLES,
    )


class AllOfCondition(ConditionBase):
    """The study is complete when several conditions are met at the same time."""

    complete: Literal["all_of"]
    conditions: Conditions = Field(
        description="The conditions, each as a section `study` has it; all of them are needed.",
        examples=_EXAMPLES,
    )


def check_any_of(study: Study, now: datetime, pending: Sequence[str]) -> Verdict:
    """Whether one of the conditions is met; the reason names which."""
    assert isinstance(study.condition, AnyOfCondition)
    open_: list[tuple[str, Verdict]] = []
    for condition in study.condition.conditions:
        verdict = study.asked(condition, now, pending)
        if verdict.complete:
            return Verdict(True, f"{condition.complete}: {verdict.because}")
        open_.append((condition.complete, verdict))
    return Verdict(False, _named(open_, " or "), valid_until=_first(each for _, each in open_))


def check_all_of(study: Study, now: datetime, pending: Sequence[str]) -> Verdict:
    """Whether all conditions are met; otherwise the reason names those that are not."""
    assert isinstance(study.condition, AllOfCondition)
    asked = [
        (condition.complete, study.asked(condition, now, pending))
        for condition in study.condition.conditions
    ]
    open_ = [(name, verdict) for name, verdict in asked if not verdict.complete]
    if not open_:
        return Verdict(True, _named(asked, "; "))
    return Verdict(False, _named(open_, "; "), valid_until=_last(each for _, each in open_))


def _named(verdicts: Iterable[tuple[str, Verdict]], joint: str) -> str:
    return joint.join(f"{name}: {verdict.because}" for name, verdict in verdicts)


def _first(verdicts: Iterable[Verdict]) -> datetime | None:
    """Until when none of the verdicts changes; None where one of them may change at any time."""
    times = [each.valid_until for each in verdicts]
    known = [each for each in times if each is not None]
    return min(known) if len(known) == len(times) else None


def _last(verdicts: Iterable[Verdict]) -> datetime | None:
    """Until when one of the verdicts at least stays; None where all may change at any time."""
    return max((each.valid_until for each in verdicts if each.valid_until), default=None)
