"""Whether a study is complete: who is asked first, and whose fault it is where one fails.

Knows conditions of its own. Does not know those of any plugin.
"""

from __future__ import annotations

import errno
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import pytest

from mroute.api import (
    FOREVER,
    ConditionBase,
    ConditionType,
    ForcedCompletion,
    Study,
    Verdict,
    hookimpl,
)
from mroute.errors import PluginError
from mroute.testing import NOW, make_study, registry_of
from mroute.verdicts import BY_HAND, checks_of, is_study_complete

HOUR = timedelta(hours=1)


class Whatever(ConditionBase):
    complete: Literal["any", "of_any"]


class Plugin:
    """Contributes a condition that says what it is told to, and one that asks that one."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    @hookimpl
    def mroute_completion_conditions(self) -> list[ConditionType]:
        return [
            ConditionType("any", Whatever, self.check),
            ConditionType("of_any", Whatever, self.ask),
        ]

    def check(self, study: Study, now: datetime, pending: Sequence[str]) -> Verdict:
        if isinstance(self.answer, Exception):
            raise self.answer
        assert study.condition.complete == "any"
        return self.answer  # type: ignore[no-any-return]

    def ask(self, study: Study, now: datetime, pending: Sequence[str]) -> Verdict:
        return study.asked(Whatever(complete="any"), now, pending)


def study_of(answer: Any, complete: str = "any", **fields: Any) -> Study:
    checks = checks_of(registry_of(p=Plugin(answer)))
    section = {"complete_force": fields.pop("by_hand", False)}
    condition = Whatever.model_validate({"complete": complete, **fields})
    return make_study(condition, section=section, checks=checks)


def ask(study: Study, passed: timedelta = timedelta(0)) -> Verdict:
    return is_study_complete(study, NOW + passed, ())


NOT_YET = Verdict(False, "not yet", valid_until=FOREVER)


@pytest.mark.parametrize("complete", ["any", "of_any"])
def test_the_condition_is_asked_be_it_made_of_another_one(complete: str) -> None:
    assert ask(study_of(NOT_YET, complete)) == NOT_YET
    met = Verdict(True, "all there")
    assert ask(study_of(met, complete)) == met


def test_an_administrator_is_asked_before_any_condition() -> None:
    said = Verdict(True, BY_HAND)
    assert ask(study_of(NOT_YET, by_hand=True)) == said
    assert ask(study_of(ValueError("broken"), by_hand=True)) == said
    assert ask(study_of(NOT_YET, by_hand=True, after="1s", **{"else": "discard"}), HOUR) == said
    # Only true is true.
    assert ask(study_of(NOT_YET, by_hand="true")) == NOT_YET


def test_time_is_asked_after_the_condition() -> None:
    fields = {"after": "30m", "else": "error"}
    forced = ask(study_of(NOT_YET, **fields), HOUR)
    assert forced.forced is ForcedCompletion.ERROR
    met = Verdict(True, "all there")
    assert ask(study_of(met, **fields), HOUR) == met


@pytest.mark.parametrize(
    ("says", "fields", "until"),
    [
        (FOREVER, {}, FOREVER),
        (FOREVER, {"after": "1h", "else": "proceed"}, NOW + HOUR),
        (FOREVER, {"after": "1h", "else": "ignore"}, FOREVER),
        (NOW, {"after": "1h"}, NOW),
        (None, {"after": "1h"}, None),
        (None, {}, None),
    ],
)
def test_no_verdict_holds_longer_than_until_the_study_is_forced(
    says: datetime | None, fields: dict[str, str], until: datetime | None
) -> None:
    verdict = ask(study_of(Verdict(False, "not yet", valid_until=says), **fields))
    assert verdict == Verdict(False, "not yet", valid_until=until)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (ValueError("it broke"), "plugin 'p': condition 'any' raised ValueError: it broke"),
        (OSError(errno.EACCES, "no"), "plugin 'p': condition 'any' raised PermissionError: "),
        (True, "plugin 'p': condition 'any' returned True, expected a Verdict"),
        (None, "plugin 'p': condition 'any' returned None, expected a Verdict"),
    ],
)
@pytest.mark.parametrize("complete", ["any", "of_any"])
def test_a_condition_that_fails_is_named_with_its_plugin(
    answer: Any, said: str, complete: str
) -> None:
    with pytest.raises(PluginError) as raised:
        ask(study_of(answer, complete))
    assert str(raised.value).startswith(said)


def test_a_machine_that_is_short_of_something_is_no_fault_of_a_condition() -> None:
    with pytest.raises(OSError, match="too many open files"):
        ask(study_of(OSError(errno.EMFILE, "too many open files")))
