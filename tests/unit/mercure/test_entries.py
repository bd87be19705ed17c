"""Single entries: what becomes of them, and what is told."""

from __future__ import annotations

from typing import Any

import pytest

from mroute.mercure.durations import duration
from mroute.mercure.names import safe_names, variable_names
from mroute.names import safe_name
from tests.unit.mercure.conftest import Import, content_of


def rule(imported: Import, **keys: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """A rule as it is imported, and the codes that are told by mercure's key."""
    whole = imported(
        rules={"r": {"rule": "True", **keys}},
        targets={"t": {"target_type": "dummy"}},
        modules={"m": {"docker_tag": "a/b"}},
    )
    told = {each.key: each.code for each in whole.findings if each.section == "rules"}
    return content_of(whole)["rules"]["r"], told


@pytest.mark.parametrize(
    ("keys", "expected", "told"),
    [
        ({"target": "t"}, {"action": "route", "targets": ["t"]}, {}),
        ({"target": ["t", ""]}, {"action": "route", "targets": ["t"]}, {}),
        ({"target": "t", "disabled": "yes"}, {"disabled": True}, {}),
        ({"target": "t", "fallback": 1}, {"fallback": True}, {}),
        ({"target": "t", "priority": "urgent"}, {"priority": "urgent"}, {}),
        ({"target": "t", "comment": "c", "contact": "d"}, {"comment": "c", "contact": "d"}, {}),
        ({"action": "discard", "target": "t"}, {"action": "discard"}, {"target": "MR402"}),
        ({"target": "t", "tags": "a"}, {}, {"tags": "MR401"}),
        ({"target": "t", "new": 0}, {}, {"new": "MR403"}),
        (
            {"action": "process", "processing_module": "m", "processing_settings": [{"a": 1}]},
            {"modules": ["m"], "settings": {"a": 1}},
            {},
        ),
        (
            # The second module had no settings: the file is refused until a person decides.
            {
                "action": "process",
                "processing_module": ["m", "m"],
                "processing_settings": [{"a": 1}],
            },
            {"modules": ["m", "m"], "settings": [{"a": 1}]},
            {"processing_settings": "MR212"},
        ),
        (
            {"target": "t", "action_trigger": "study", "study_trigger_condition": "timeout"},
            {"on": "study", "study": {"complete": "timeout", "after": "90m", "else": "discard"}},
            {},
        ),
    ],
)
def test_rules(
    imported: Import, keys: dict[str, Any], expected: dict[str, Any], told: dict[str, str]
) -> None:
    found, said = rule(imported, **keys)
    assert {key: found.get(key) for key in expected} == expected
    assert said == told


@pytest.mark.parametrize(
    ("payload", "body", "expected"),
    [
        ('"text": "@rule@ @event@"', "", {"text": "{{ rule }} {{ event | upper }}"}),
        ('"text": "{{ body }}"', "{{ event }}\n'", {"text": "{{ event | upper }}\n'"}),
        ('"a": [{"b": "{{body}}"}], "n": 1', "x", {"a": [{"b": "x"}], "n": 1}),
        ('"n": {{ details|length }}', "", '{"n": {{ details|length }}}'),
        (
            '"text": "{{ acc }} {{ mrn }} {{ patient_name }} {{ DeviceSerialNumber }}"',
            "",
            {"text": "{{ acc }} {{ mrn }} {{ patient_name }} {{ device }}"},
        ),
        ('"text": "DeviceSerialNumber"', "", {"text": "DeviceSerialNumber"}),
    ],
)
def test_payloads(imported: Import, payload: str, body: str, expected: Any) -> None:
    found, _ = rule(
        imported,
        action="notification",
        notification_webhook="https://a.example/",
        notification_payload=payload,
        notification_payload_body=body,
        notification_trigger_error=False,
    )
    assert found["notify"] == [
        {
            "channel": "webhook",
            "url": "https://a.example/",
            "events": ["received", "completed"],
            "payload": expected,
        }
    ]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["a", "b c"], ["a", "b c"]),
        (["a/b", "a-b", "a#b"], ["a-b-2", "a-b", "a-b-3"]),
        ([".a", "", "..", "a\n"], ["a", "unnamed", "unnamed-2", "a-"]),
    ],
)
def test_names(names: list[str], expected: list[str]) -> None:
    assert list(safe_names(names).values()) == expected
    long = next(iter(safe_names(["ä" * 200]).values()))
    assert safe_name(long, "name") == long


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["PACS2", "my pacs", "a.b-c"], ["PACS2", "MY_PACS", "A_B_C"]),
        (["a b", "a-b", "A_B", "a_b_2"], ["A_B", "A_B_2", "A_B_3", "A_B_2_2"]),
        (["3T", "é", "-"], ["TARGET_3T", "TARGET", "TARGET_2"]),
    ],
)
def test_names_of_variables(names: list[str], expected: list[str]) -> None:
    assert list(variable_names(names).values()) == expected


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(900, "15m"), (5400, "90m"), (7200, "2h"), (45, "45s"), (0, "0s"), (-1, -1), ("a", "a")],
)
def test_durations(seconds: Any, expected: Any) -> None:
    assert duration(seconds) == expected
