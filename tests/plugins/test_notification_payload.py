from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mroute.api import FACTS, PATIENT, Notice, NoticeEvent
from mroute.testing import make_rule
from mroute_notification import NotificationRule
from mroute_notification.payload import check_payload, render_payload
from mroute_notification.presets import Preset, preset_body
from mroute_notification.values import SAMPLE, values_of

RULE = make_rule(NotificationRule, notify=["anybody"])
WHOM = {"patient_name": 'DOE^"JANE"', "mrn": "4711", "acc": "A1"}
DEFAULT = {
    "event": "completed",
    "rule": 'the "rule"',
    "task_id": "task-1",
    "details": "2 images",
}

ANYTHING = st.text() | st.sampled_from(
    [
        'DOE^"JANE"\\',
        '", "injected": "',
        "{{ rule }}",
        "{% raw %}",
        '{"a": [1]}',
        "a\nb\r\n",
        "\\u0000",
        "<!channel> & *b*",
        "[x](http://x)",
        "\ud800",
    ]
)


def values(details: str = "2 images", allowed: bool = True, **facts: Any) -> dict[str, Any]:
    notice = Notice(NoticeEvent.COMPLETED, 'the "rule"', RULE, "task-1", details, facts, WHOM)
    return values_of(notice, allowed)


def render(payload: Any, allowed: bool = True, **of: Any) -> Any:
    checked = None if payload is None else check_payload(payload)
    return json.loads(render_payload(checked, values(allowed=allowed, **of)))


def test_the_default_payload_has_the_plain_facts() -> None:
    assert render(None) == DEFAULT


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


@pytest.mark.parametrize("filtered", ["rule | safe", "rule | e | safe", "(rule | tojson) ~ ''"])
def test_nothing_but_tojson_makes_json_of_a_value(filtered: str) -> None:
    assert isinstance(render(f'{{"text": {{{{ {filtered} }}}}}}')["text"], str)


def test_facts_can_be_used() -> None:
    assert render({"m": "{{ facts.modality }}"}, modality="MR") == {"m": "MR"}
    assert render({"m": "{{ facts.get('modality', '?') }}"}) == {"m": "?"}
    assert render({"d": "{{ device }}"}, device_serial_number="40123") == {"d": "40123"}


@pytest.mark.parametrize(
    ("allowed", "told"), [(True, 'DOE^"JANE" 4711 A1'), (False, "UNKNOWN UNKNOWN UNKNOWN")]
)
def test_a_patient_is_named_where_that_is_allowed(allowed: bool, told: str) -> None:
    assert render({"x": "{{ patient_name }} {{ mrn }} {{ acc }}"}, allowed) == {"x": told}
    assert render('{"x": {{ patient_name ~ " " ~ mrn ~ " " ~ acc }}}', allowed) == {"x": told}


def test_a_template_is_tried_out_with_the_names_that_a_notice_has() -> None:
    facts: dict[str, Any] = dict.fromkeys(["uid_type", *FACTS], "x")
    found = values(**facts)
    assert SAMPLE.keys() == found.keys()
    assert SAMPLE["facts"].keys() == found["facts"].keys()
    assert PATIENT.keys() <= SAMPLE.keys()


def clean(text: str) -> str:
    return "".join("\ufffd" if "\ud800" <= each <= "\udfff" else each for each in text)


@given(ANYTHING)
def test_whatever_a_value_says_the_message_is_json_with_that_value(text: str) -> None:
    notice = Notice(
        NoticeEvent.ERROR,
        "r",
        RULE,
        "t",
        text,
        {"device_serial_number": text},
        {"patient_name": text, "mrn": text, "acc": text},
    )
    found = values_of(notice, True)
    names = ["details", "patient_name", "mrn", "acc", "device", "facts.device_serial_number"]
    for name in names:
        for filters in ("", " | safe", " | tojson"):
            if not filters.endswith("tojson"):
                rendered = render_payload({"x": f"{{{{ {name}{filters} }}}}"}, found)
                assert json.loads(rendered) == {"x": clean(text)}
            rendered = render_payload(f'{{"x": {{{{ {name}{filters} }}}}}}', found)
            assert json.loads(rendered) == {"x": clean(text)}
    assert json.loads(render_payload(None, found))["details"] == clean(text)


@given(ANYTHING)
def test_whatever_a_value_says_it_is_text_for_a_chat(text: str) -> None:
    found = values(details=text)
    slack = json.loads(preset_body(Preset.SLACK, found))
    assert slack.keys() == {"text"}
    assert "<" not in slack["text"]
    assert ">" not in slack["text"]
    webex = json.loads(preset_body(Preset.WEBEX, found))
    assert webex.keys() == {"text"}
    card = json.loads(preset_body(Preset.TEAMS, found))["attachments"][0]["content"]
    runs = [run for block in card["body"] for run in block["inlines"]]
    assert {run["type"] for run in runs} == {"TextRun"}
    if text:
        assert clean(text) in [run["text"] for run in runs]
        assert clean(text) in webex["text"]


def test_what_chat_services_are_posted() -> None:
    found = values(details="a < b & c")
    assert json.loads(preset_body(Preset.SLACK, found)) == {
        "text": 'the "rule": completed\na &lt; b &amp; c\ntask task-1'
    }
    assert json.loads(preset_body(Preset.WEBEX, found)) == {
        "text": 'the "rule": completed\na < b & c\ntask task-1'
    }
    teams = json.loads(preset_body(Preset.TEAMS, found))
    assert teams["type"] == "message"
    (attachment,) = teams["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.2")
    assert [block["inlines"][0]["text"] for block in card["body"]] == [
        'the "rule": completed',
        "a < b & c",
        "task task-1",
    ]


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [
        ({"x": "{{ rule"}, "the template cannot be rendered: unexpected end of template"),
        ({"x": "{{ ruel }}"}, "'ruel' is undefined; it may use event, rule, task_id, details"),
        ({"x": "{{ facts.modalty }}"}, "has no attribute 'modalty'"),
        ("{{ nothing", "the template cannot be rendered: unexpected end of template"),
        ("hello", "the template does not give JSON but 'hello'"),
        ('{"x": NaN}', "'NaN' is not a number of JSON"),
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


@pytest.mark.parametrize("number", ["1e999", "-1e999"])
def test_numbers_that_json_does_not_have_are_refused(number: str) -> None:
    with pytest.raises(ValueError, match="JSON"):
        check_payload(f'{{"x": {number}}}')


@pytest.mark.parametrize(
    ("payload", "said"),
    [
        ({"x": "{{ facts.modality }}"}, "UndefinedError: 'dict object' has no attribute"),
        ('{"x": {{ facts.modality }}}', "UndefinedError: 'dict object' has no attribute"),
        ({"x": "{{ facts[patient_name] | default(mrn | int // (mrn | length - 4)) }}"}, "Zero"),
        ('{"x": {% if facts.modality is defined %}1{% endif %}}', "ValueError"),
    ],
)
def test_a_template_that_fails_later_does_not_stop_the_message(payload: Any, said: str) -> None:
    message = render(payload)
    problem = message.pop("problem")
    assert message == DEFAULT
    assert problem.startswith(f"the payload of this webhook cannot be rendered: {said}")
    assert "JANE" not in problem
