from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mroute.api import Notice, NoticeEvent
from mroute.testing import make_rule
from mroute_notification import NotificationRule
from mroute_notification.payload import DEFAULT, check_payload, render_payload

RULE = make_rule(NotificationRule, notify=["anybody"])


def notice(details: str = "2 images", **facts: Any) -> Notice:
    return Notice(NoticeEvent.COMPLETED, 'the "rule"', RULE, "task-1", details, facts)


def render(payload: Any, **of: Any) -> Any:
    return json.loads(render_payload(check_payload(payload), notice(**of)))


def test_the_default_payload_has_the_plain_facts() -> None:
    assert render(DEFAULT) == {
        "event": "completed",
        "rule": 'the "rule"',
        "task_id": "task-1",
        "details": "2 images",
    }


def test_every_text_of_an_object_is_a_template() -> None:
    payload = {
        "text": "{{ rule }}: {{ event | upper }}",
        "blocks": [{"id": "{{ task_id }}", "number": 1, "on": True, "off": None}],
    }
    assert render(payload) == {
        "text": 'the "rule": COMPLETED',
        "blocks": [{"id": "task-1", "number": 1, "on": True, "off": None}],
    }


def test_a_text_is_a_template_of_json_in_which_values_are_quoted() -> None:
    template = """{"text": {{ rule }}, "length": {{ details | length }}
      {%- if event == "error" %}, "urgent": true{% endif %}}"""
    assert render(template) == {"text": 'the "rule"', "length": 8}


def test_a_value_that_was_quoted_by_the_template_is_not_quoted_again() -> None:
    assert render('{"text": {{ (rule ~ "!") | tojson }}}') == {"text": 'the "rule"!'}


def test_facts_can_be_used() -> None:
    assert render({"m": "{{ facts.modality }}"}, modality="MR") == {"m": "MR"}
    assert render({"m": "{{ facts.get('modality', '?') }}"}) == {"m": "?"}


@given(st.text())
def test_whatever_a_value_says_the_message_is_json_with_that_value(details: str) -> None:
    assert render({"x": "{{ details }}"}, details=details) == {"x": details}
    assert render('{"x": {{ details }}}', details=details) == {"x": details}


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        ({"x": "{{ rule"}, "the template cannot be rendered: unexpected end of template"),
        ({"x": "{{ ruel }}"}, "'ruel' is undefined; it may use event, rule, task_id, details"),
        ("{{ nothing", "the template cannot be rendered: unexpected end of template"),
        ("hello", "the template does not give JSON but 'hello'"),
        ('{"x": "{{ rule }}"}', 'write {{ rule }}, not "{{ rule }}"'),
        ('{"x": {{ ruel }}}', "the template cannot be rendered: 'ruel' is undefined"),
        ({"x": "{{ 1 // 0 }}"}, "the template cannot be rendered: "),
        ({"x": ["{{ rule.__class__.__mro__ }}"]}, "access to attribute '__class__'"),
        ({"x": "{{ details + 1 }}"}, "the template cannot be rendered: "),
    ],
)
def test_a_template_that_cannot_work_is_refused(payload: Any, sentence: str) -> None:
    with pytest.raises(ValueError, match=r"^the template") as caught:
        check_payload(payload)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    "payload",
    [{"x": "{{ facts.modality }}"}, '{"x": {{ facts.modality }}}'],
)
def test_a_template_that_fails_later_does_not_stop_the_message(payload: Any) -> None:
    message = render(payload)
    problem = message.pop("problem")
    assert message == render(DEFAULT)
    assert problem.startswith("the payload of this webhook cannot be rendered: UndefinedError: ")
