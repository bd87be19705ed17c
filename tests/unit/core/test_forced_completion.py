"""What ``after`` and ``else`` of a condition ask for, whatever the condition is.

Knows times. Does not know any condition.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from mroute.api import ConditionBase, ForcedCompletion, Verdict
from mroute.testing import NOW, make_study

AFTER = timedelta(minutes=10)
SECOND = timedelta(seconds=1)


def condition(**fields: str) -> ConditionBase:
    return ConditionBase.model_validate({"complete": "any", **fields})


@pytest.mark.parametrize("otherwise", ["discard", "proceed", "error"])
def test_a_study_is_forced_when_its_time_has_passed(otherwise: str) -> None:
    # What came last does not count: the time begins with the first series.
    study = make_study(
        condition(**{"after": "10m", "else": otherwise}),
        last_received_at=NOW + timedelta(minutes=9),
    )
    assert study.forced(NOW + AFTER) is None
    assert study.forced(NOW + AFTER + SECOND) == Verdict(
        True,
        f"not complete 0:10:00 after the first series arrived; then: {otherwise}",
        ForcedCompletion(otherwise),
    )


def test_a_study_is_discarded_where_the_rule_does_not_say_what_else() -> None:
    forced = make_study(condition(after="10m")).forced(NOW + timedelta(hours=1))
    assert forced is not None
    assert forced.forced is ForcedCompletion.DISCARD


@pytest.mark.parametrize("fields", [{}, {"after": "10m", "else": "ignore"}])
def test_a_study_waits_for_ever_where_the_rule_says_so(fields: dict[str, str]) -> None:
    assert make_study(condition(**fields)).forced(NOW + timedelta(days=999)) is None
