"""The templates of messages: Jinja2, in a sandbox.

Knows how a value gets into a text, into JSON and into HTML, so that it stays a value whatever it
says. Does not know the values. Jinja2 is loaded when the first template is read.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from mroute_notification.values import SAMPLE

if TYPE_CHECKING:
    from jinja2.sandbox import SandboxedEnvironment


class Into(StrEnum):
    """What a template is a template of."""

    TEXT = "text"
    JSON = "json"
    HTML = "html"


class _Spelled(str):
    """A text that is JSON already: nothing but the filter ``tojson`` makes one."""

    __slots__ = ()


def render(template: str, values: Mapping[str, Any], into: Into = Into.TEXT) -> str:
    """Render a template; raises whatever it raises."""
    return _environment(into).from_string(template).render(values)


def checked(try_out: Callable[[Mapping[str, Any]], object]) -> None:
    """Try out templates with sample values; raises `ValueError` with a sentence if one fails."""
    try:
        try_out(SAMPLE)
    except ValueError:
        raise
    # Whatever a template raises: it may call methods of values, divide, and so on.
    except Exception as error:
        raise ValueError(
            f"the template cannot be rendered: {error}; it may use {', '.join(SAMPLE)}"
        ) from error


@functools.cache
def _environment(into: Into) -> SandboxedEnvironment:
    """Templates that cannot reach anything but their values; unknown names are an error."""
    from jinja2 import StrictUndefined
    from jinja2.sandbox import SandboxedEnvironment

    environment = SandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=into is Into.HTML,
        finalize=_quoted if into is Into.JSON else None,
        keep_trailing_newline=True,
    )
    if into is Into.JSON:
        environment.filters["tojson"] = _to_json
    return environment


def _quoted(value: Any) -> str:
    """A value as JSON; only what went through the filter ``tojson`` is that already."""
    from jinja2 import Undefined

    if isinstance(value, Undefined):
        return str(value)  # which raises, and says what is undefined
    return value if isinstance(value, _Spelled) else _to_json(value)


def _to_json(value: Any) -> str:
    # What the filter `safe` made is a text like any other.
    return _Spelled(json.dumps(str(value) if isinstance(value, str) else value, allow_nan=False))
