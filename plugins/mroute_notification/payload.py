"""What a webhook is told: a template, rendered to JSON.

Knows that the result is always JSON. Does not know who gets the message, or what the values are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from pydantic import JsonValue

from mroute_notification.templates import Into, checked, render
from mroute_notification.values import DEFAULT


def check_payload(payload: JsonValue) -> JsonValue:
    """Return ``payload`` if it can be rendered; raise `ValueError` with a sentence otherwise."""
    checked(lambda sample: _dumped(_render(payload, sample)))
    return payload


def render_payload(payload: JsonValue | None, values: Mapping[str, Any]) -> str:
    """The message as JSON text; the default one where ``payload`` is None.

    A template that fails over these values, which its check could not foresee, must not stop
    images: the message is the default one then, and says so under ``problem``. It does not say
    over what: an error may quote a value.
    """
    default = {key: values[key] for key in DEFAULT}
    if payload is None:
        return _dumped(default)
    try:
        return _dumped(_render(payload, values))
    # As above.
    except Exception as error:  # noqa: BLE001
        return _dumped({**default, "problem": problem_of("payload of this webhook", error)})


def problem_of(what: str, error: Exception) -> str:
    """The sentence about a template that failed over the values of a notice."""
    from jinja2 import TemplateError

    said = f": {error}" if isinstance(error, TemplateError) else ""
    return f"the {what} cannot be rendered: {type(error).__name__}{said}"


def _dumped(rendered: JsonValue) -> str:
    return json.dumps(rendered, allow_nan=False)


def _render(payload: JsonValue, values: Mapping[str, Any]) -> JsonValue:
    """Render a text to the JSON that it spells, and every text inside a mapping to a text."""
    if not isinstance(payload, str):
        return _render_texts(payload, values)
    text = render(payload, values, Into.JSON)
    try:
        rendered: JsonValue = json.loads(text, parse_constant=_refuse)
    except ValueError as error:
        raise ValueError(
            f"the template does not give JSON but {text!a} ({error}); values are quoted "
            'already, so write {{ rule }}, not "{{ rule }}"'
        ) from error
    return rendered


def _render_texts(payload: JsonValue, values: Mapping[str, Any]) -> JsonValue:
    if isinstance(payload, str):
        return render(payload, values)
    if isinstance(payload, dict):
        return {key: _render_texts(value, values) for key, value in payload.items()}
    if isinstance(payload, list):
        return [_render_texts(value, values) for value in payload]
    return payload


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"'{constant}' is not a number of JSON")
