"""The completion conditions of the plugin ``studies``, each asked as mroute asks it.

Knows studies in memory. Does not know folders, or what becomes of a study that is complete.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import mroute_studies
from mroute.api import FOREVER, ConditionBase, ConditionType, Study, Verdict, hookimpl
from mroute.config.choice import CONDITION
from mroute.config.compose import compose
from mroute.testing import NOW, TAGS, checks_of, make_study, registry_of

SECOND = timedelta(seconds=1)
QUIET = timedelta(minutes=15)
EXPECTED = "NumberOfStudyRelatedInstances"


class Doctor:
    """A plugin of a third party: a study is complete when a tag of any series says so."""

    @hookimpl
    def mroute_completion_conditions(self) -> list[ConditionType]:
        return [ConditionType("verified", ConditionBase, self.check)]

    def check(self, study: Study, now: datetime, pending: Sequence[str]) -> Verdict:
        verified = [tags.get("VerificationFlag") == "VERIFIED" for tags in study.series]
        return Verdict(any(verified), f"{sum(verified)} of {len(verified)} series are verified")


PLUGINS = (mroute_studies, Doctor())
MODELS = compose(registry_of(*PLUGINS)).choices[CONDITION].models
CHECKS = checks_of(*PLUGINS)


def condition(complete: str, **fields: Any) -> ConditionBase:
    found = MODELS[complete].model_validate({"complete": complete, **fields})
    assert isinstance(found, ConditionBase)
    return found


TIMEOUT = {"complete": "timeout"}


def series(text: str) -> dict[str, str]:
    return {"complete": "received_series", "series": text}


def study_of(
    asked: Mapping[str, Any], descriptions: Sequence[str] = ("T1",), **fields: Any
) -> Study:
    return make_study(condition(**asked), descriptions, quiet_time=QUIET, checks=CHECKS, **fields)


def check(study: Study, now: datetime = NOW, pending: Sequence[str] = ()) -> Verdict:
    return study.asked(study.condition, now, pending)


def test_a_study_is_complete_when_it_was_quiet_for_longer_than_its_time() -> None:
    study = study_of(TIMEOUT)
    assert check(study, NOW + QUIET + SECOND) == Verdict(
        True, "no series arrived for more than 0:15:00"
    )
    assert check(study, NOW + QUIET) == Verdict(
        False,
        "the last series arrived 0:15:00 ago; complete after 0:15:00",
        valid_until=NOW + QUIET,
    )


def test_a_rule_may_have_a_quiet_time_of_its_own() -> None:
    study = study_of({**TIMEOUT, "quiet": "1h"})
    assert not check(study, NOW + timedelta(hours=1)).complete
    assert check(study, NOW + timedelta(hours=1) + SECOND).complete


def test_the_time_begins_with_the_last_series() -> None:
    study = study_of(TIMEOUT, last_received_at=NOW + QUIET)
    assert not check(study, NOW + QUIET + SECOND).complete
    assert check(study, NOW + 2 * QUIET + SECOND).complete


def test_a_study_waits_for_series_that_are_arriving() -> None:
    study = study_of(TIMEOUT)
    assert check(study, NOW + timedelta(days=1), ["1.2.8", "1.2.9"]) == Verdict(
        False, "2 series still arriving", valid_until=FOREVER
    )


@given(
    st.timedeltas(timedelta(0), timedelta(days=9)),
    st.timedeltas(timedelta(days=-9), timedelta(days=9)),
    st.lists(st.sampled_from(["1.2.8", "1.2.9"]), max_size=2),
)
def test_a_study_is_complete_exactly_when_nothing_is_to_be_expected(
    quiet_time: timedelta, passed: timedelta, pending: list[str]
) -> None:
    study = make_study(condition("timeout"), quiet_time=quiet_time, checks=CHECKS)
    verdict = check(study, NOW + passed, pending)
    assert verdict.complete == (passed > quiet_time and not pending)
    assert verdict.forced is None


@pytest.mark.parametrize(
    ("text", "received", "complete", "because"),
    [
        (
            "'T1' and 'T2'",
            ["ax t1", "ax t2"],
            True,
            "'T1' was received as 'ax t1'; 'T2' was received as 'ax t2'",
        ),
        ("'T1' and 'T2'", ["ax t1"], False, "not complete: 'T2' is missing"),
        (
            "'T1' and 'POST'",
            ["COR T1 POST"],
            True,
            "'T1' was received as 'COR T1 POST'; 'POST' was received as 'COR T1 POST'",
        ),
        ("'T1'", [], False, "no series was received"),
    ],
)
def test_a_study_is_complete_when_the_series_asked_for_are_there(
    text: str, received: list[str], complete: bool, because: str
) -> None:
    verdict = check(study_of(series(text), received))
    assert verdict == Verdict(complete, because, valid_until=FOREVER)


def test_series_that_are_arriving_are_not_waited_for() -> None:
    assert check(study_of(series("'T1'")), NOW, ["1.2.9"]).complete


@pytest.mark.parametrize("text", ["", "  \n"])
def test_where_no_series_is_named_the_study_has_to_be_quiet(text: str) -> None:
    study = study_of(series(text))
    assert check(study, NOW + QUIET) == check(study_of(TIMEOUT), NOW + QUIET)
    assert not check(study, NOW + QUIET + SECOND, ["1.2.9"]).complete
    assert check(study, NOW + QUIET + SECOND).complete


def images(count: int, *said: str | None) -> dict[str, Any]:
    """A study of so many images, whose series say in a tag how many there are."""
    tags = [{**TAGS, **({EXPECTED: each} if each is not None else {})} for each in said]
    return {"instance_uids": [f"1.{n}" for n in range(count)], "series": tags}


@pytest.mark.parametrize(
    ("arrived", "complete", "because"),
    [
        (images(9, "10"), False, f"9 of 10 images came, expected by tag '{EXPECTED}'"),
        (images(10, "10"), True, f"10 of 10 images came, expected by tag '{EXPECTED}'"),
        (images(11, " 10 "), True, f"11 of 10 images came, expected by tag '{EXPECTED}'"),
        # Who says less was counted before all of them were made.
        (images(9, "8", None, "10"), False, f"9 of 10 images came, expected by tag '{EXPECTED}'"),
        (images(9), False, f"no series says in tag '{EXPECTED}' how many images there are"),
        (images(0, "0"), False, f"no series says in tag '{EXPECTED}' how many images there are"),
        (images(9, "", "-1", "1.5", "many", "\u0663"), False, "no series says in tag"),
    ],
)
def test_a_study_is_complete_when_as_many_images_came_as_a_tag_says(
    arrived: dict[str, Any], complete: bool, because: str
) -> None:
    verdict = check(study_of({"complete": "expected_instances"}, **arrived))
    assert verdict.complete is complete
    assert verdict.because.startswith(because)


def test_an_image_that_came_twice_counts_once() -> None:
    study = study_of({"complete": "expected_instances", "number": 3}, instance_uids=["1", "2", "1"])
    assert check(study) == Verdict(
        False, "2 of 3 images came, expected by the rule", valid_until=FOREVER
    )
    more = study_of(
        {"complete": "expected_instances", "number": 3}, instance_uids=["1", "2", "1", "3"]
    )
    assert check(more).complete


def test_another_tag_may_say_how_many_images_there_are() -> None:
    asked = {"complete": "expected_instances", "tag": "ImagesInAcquisition"}
    tags = [{"ImagesInAcquisition": "1", EXPECTED: "9"}]
    assert check(study_of(asked, series=tags, instance_uids=["1"])).complete


@pytest.mark.parametrize("fields", [{"number": 0}, {"number": 3, "tag": "X"}, {"tag": ""}])
def test_how_many_images_there_are_is_said_once(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        condition("expected_instances", **fields)


def combined(kind: str, *conditions: Mapping[str, Any]) -> dict[str, Any]:
    return {"complete": kind, "conditions": list(conditions)}


def test_one_of_several_conditions_is_enough() -> None:
    asked = combined("any_of", series("'T2'"), TIMEOUT)
    assert check(study_of(asked), NOW + QUIET) == Verdict(
        False,
        "received_series: not complete: 'T2' is missing or "
        "timeout: the last series arrived 0:15:00 ago; complete after 0:15:00",
        valid_until=NOW + QUIET,
    )
    assert check(study_of(asked), NOW + QUIET + SECOND) == Verdict(
        True, "timeout: no series arrived for more than 0:15:00"
    )
    assert check(study_of(asked, ["T2"])) == Verdict(
        True, "received_series: 'T2' was received as 'T2'"
    )


def test_all_of_several_conditions_are_needed() -> None:
    asked = combined("all_of", series("'T1'"), TIMEOUT, {"complete": "expected_instances"})
    assert check(study_of(asked), NOW + QUIET + SECOND) == Verdict(
        False,
        f"expected_instances: no series says in tag '{EXPECTED}' how many images there are",
        valid_until=FOREVER,
    )
    verdict = check(study_of(asked, **images(2, "2")), NOW + QUIET + SECOND)
    assert verdict == Verdict(
        True,
        "received_series: 'T1' was received as 'T1'; timeout: no series arrived for more than "
        f"0:15:00; expected_instances: 2 of 2 images came, expected by tag '{EXPECTED}'",
    )


def test_a_condition_of_another_plugin_is_one_like_any_other() -> None:
    asked = combined("any_of", combined("all_of", {"complete": "verified"}), series("'X'"))
    verified = {**TAGS, "VerificationFlag": "VERIFIED"}
    assert check(study_of(asked, series=[TAGS])) == Verdict(
        False,
        "all_of: verified: 0 of 1 series are verified or received_series: not complete: 'X' is "
        "missing",
    )
    assert check(study_of(asked, series=[TAGS, verified])) == Verdict(
        True, "all_of: verified: 1 of 2 series are verified"
    )


def test_there_is_at_least_one_condition() -> None:
    for kind in ("any_of", "all_of"):
        with pytest.raises(ValidationError):
            condition(**combined(kind))


LEAVES = st.one_of(
    st.builds(lambda m: {**TIMEOUT, "quiet": f"{m}m"}, st.integers(0, 60)),
    st.sampled_from(["'T1'", "'T2'", "'T1' and 'T2'", "not 'T3'", "count('T') >= 2", ""]).map(
        series
    ),
    st.builds(lambda n: {"complete": "expected_instances", "number": n}, st.integers(1, 5)),
    st.just({"complete": "expected_instances"}),
)
ASKED = st.recursive(
    LEAVES,
    lambda below: st.builds(
        lambda kind, many: combined(kind, *many),
        st.sampled_from(["any_of", "all_of"]),
        st.lists(below, min_size=1, max_size=3),
    ),
    max_leaves=6,
)
ARRIVED = st.builds(
    lambda names, minutes, count, said: {
        "descriptions": names,
        "last_received_at": NOW - timedelta(minutes=minutes),
        **images(count, *said),
    },
    st.lists(st.sampled_from(["T1", "T2", "T3"]), max_size=4),
    st.integers(-30, 90),
    st.integers(0, 5),
    st.lists(st.sampled_from([None, "3", "x"]), max_size=2),
)
PENDING = st.lists(st.just("1.2.9"), max_size=1)


@given(st.lists(ASKED, min_size=1, max_size=4), ARRIVED, PENDING)
def test_any_of_and_all_of_are_or_and_and(
    parts: list[dict[str, Any]], arrived: dict[str, Any], pending: list[str]
) -> None:
    values = [check(study_of(each, **arrived), NOW, pending).complete for each in parts]
    for kind, value in (("any_of", any(values)), ("all_of", all(values))):
        for order in (parts, parts[::-1]):
            verdict = check(study_of(combined(kind, *order), **arrived), NOW, pending)
            assert verdict.complete is value
            assert verdict.because


@given(ASKED, ARRIVED, PENDING, st.integers(0, 10_000))
def test_a_verdict_stays_for_as_long_as_it_says(
    asked: dict[str, Any], arrived: dict[str, Any], pending: list[str], seconds: int
) -> None:
    study = study_of(asked, **arrived)
    now = check(study, NOW, pending)
    later = NOW + timedelta(seconds=seconds)
    if not now.complete and now.valid_until is not None and later <= now.valid_until:
        assert not check(study, later, pending).complete
