"""The log of a running mroute: structured lines on standard error.

Knows the format, and that what can lead to a patient is left out unless the settings allow it.
Does not know what is logged.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from contextlib import suppress
from datetime import UTC, datetime

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from mroute.errors import PluginError
from mroute.events import PHI_FIELDS
from mroute.facts import discreet

_WORD = re.compile(r"[!#-&(-<>-~]+")
"""A value that needs no quotes in a line of text."""


def configure_logs(log_phi: bool, as_json: bool, quiet: bool = False) -> None:
    """Send log lines to standard error, as text for people or as JSON for programs.

    ``log_phi`` keeps the fields named in `mroute.events.PHI_FIELDS` and the UIDs in sentences;
    ``quiet`` leaves out all but warnings.
    """
    processors: list[Processor] = [structlog.contextvars.merge_contextvars]
    if not log_phi:
        processors.append(_without_phi)
    processors += [structlog.processors.add_log_level, _add_time]
    if as_json:
        processors.append(_as_json)
    elif sys.stderr.isatty():
        processors.append(structlog.dev.ConsoleRenderer())
    else:  # the same without colours, for a tenth of the time
        processors.append(_as_text)
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.WARNING if quiet else logging.INFO
        ),
        logger_factory=_StandardError,
        cache_logger_on_first_use=False,
    )


def log_plugin_error(error: PluginError) -> None:
    """Log that a plugin raised where that stops nothing.

    It is logged here and not told as an event: the plugin may fail on that event as well. Where
    the log itself is gone (its reader died, say), images are routed all the same.
    """
    with suppress(OSError, ValueError):
        structlog.get_logger("mroute").error(
            "plugin_failed", plugin=error.plugin, detail=str(error)
        )


class _StandardError:
    """Writes each line at once, and never two of them mixed, to what standard error is by then."""

    _writing = threading.Lock()

    def __init__(self, *_: object) -> None:
        """Take the name that a logger was asked for with, which no line has."""

    def msg(self, line: str) -> None:
        """Write a line."""
        with self._writing:
            sys.stderr.write(f"{line}\n")
            sys.stderr.flush()

    debug = info = warning = error = critical = exception = msg


def _add_time(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    event["timestamp"] = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return event


def _without_phi(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Leave out what can lead to a patient: fields, what they say in sentences, other UIDs."""
    secrets = [each for key in PHI_FIELDS if isinstance(each := event.pop(key, None), str) and each]
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = _sentence(value, secrets)
    return event


def _sentence(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        if secret in text:  # and no part of a longer word or number
            text = re.sub(rf"(?<![\w.]){re.escape(secret)}(?![\w.])", "<uid>", text)
    return discreet(text)


_encode = json.JSONEncoder(default=repr).encode


def _as_json(logger: WrappedLogger, method: str, event: EventDict) -> str:
    return _encode(event)


def _as_text(logger: WrappedLogger, method: str, event: EventDict) -> str:
    """A line for people: time, level, what happened, and its facts by name."""
    head = f"{event.pop('timestamp')} [{event.pop('level'):<7}] {event.pop('event')}"
    return " ".join([head, *(f"{key}={_shown(value)}" for key, value in event.items())])


def _shown(value: object) -> str:
    """A value as it is, or in quotes where it would not be one word of printable characters."""
    text = value if isinstance(value, str) else repr(value)
    return text if _WORD.fullmatch(text) else repr(value)
