"""What a message says: a template, rendered to JSON.

Knows which values a template may use, and that the result is always JSON. Does not know who gets
the message. Jinja2 is loaded when the first template is read.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue

from mroute.api import Notice, NoticeEvent

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment

DEFAULT: dict[str, JsonValue] = {
    "event": "{{ event }}",
    "rule": "{{ rule }}",
    "task_id": "{{ task_id }}",
    "details": "{{ details }}",
}
"""The payload of a webhook that has none of its own."""


class _AnyFact(dict[str, JsonValue]):
    """Has every fact: which ones a notice has is not known when its template is checked."""

    def __missing__(self, key: str) -> JsonValue:
        return "sample"


_SAMPLE: dict[str, Any] = {
    "event": NoticeEvent.RECEIVED.value,
    "rule": "a-rule",
    "task_id": "00000000-0000-0000-0000-000000000000",
    "details": 'it said "no"',
    "facts": _AnyFact(),
}


def check_payload(payload: JsonValue) -> JsonValue:
    """Return ``payload`` if it can be rendered; raise `ValueError` with a sentence otherwise."""
    try:
        _render(payload, _SAMPLE)
    except ValueError:
        raise
    # Whatever a template raises: it may call methods of values, divide, and so on.
    except Exception as error:
        raise ValueError(
            f"the template cannot be rendered: {error}; it may use {', '.join(_SAMPLE)}"
        ) from error
    return payload


def render_payload(payload: JsonValue, notice: Notice) -> str:
    """The message as JSON text.

    A template that fails over the values of this notice, which its check could not foresee, must
    not stop images: the message is the default one then, and says so under ``problem``.
    """
    values = {
        "event": notice.event.value,
        "rule": notice.rule_name,
        "task_id": notice.task_id,
        "details": notice.details,
        "facts": dict(notice.facts),
    }
    try:
        rendered = _render(payload, values)
    # As above.
    except Exception as error:  # noqa: BLE001
        problem = f"the payload of this webhook cannot be rendered: {type(error).__name__}: {error}"
        rendered = {**{key: values[key] for key in DEFAULT}, "problem": problem}
    return json.dumps(rendered)


def _render(payload: JsonValue, values: Mapping[str, Any]) -> JsonValue:
    """Render a text to the JSON that it spells, and every text inside a mapping to a text."""
    if not isinstance(payload, str):
        return _render_texts(payload, values)
    text = _environment(True).from_string(payload).render(values)
    try:
        rendered: JsonValue = json.loads(text)
    except ValueError as error:
        raise ValueError(
            f"the template does not give JSON but {text!a} ({error}); values are quoted "
            'already, so write {{ rule }}, not "{{ rule }}"'
        ) from error
    return rendered


def _render_texts(payload: JsonValue, values: Mapping[str, Any]) -> JsonValue:
    if isinstance(payload, str):
        return _environment(False).from_string(payload).render(values)
    if isinstance(payload, dict):
        return {key: _render_texts(value, values) for key, value in payload.items()}
    if isinstance(payload, list):
        return [_render_texts(value, values) for value in payload]
    return payload


@functools.cache
def _environment(quoting: bool) -> SandboxedEnvironment:
    """Templates that cannot reach anything but their values; unknown names are an error.

    ``quoting`` makes JSON of every value that is put into the text.
    """
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    return SandboxedEnvironment(undefined=StrictUndefined, finalize=_quoted if quoting else None)


def _quoted(value: Any) -> Any:
    from jinja2 import Undefined

    if isinstance(value, Undefined):
        return str(value)  # which raises, and says what is undefined
    # What went through the filter "tojson" is quoted already, and says so.
    return value if hasattr(value, "__html__") else json.dumps(value)
