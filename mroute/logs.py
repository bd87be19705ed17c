"""The log of a running mroute: structured lines on standard error.

Knows the format, and that what can lead to a patient is left out unless the settings allow it.
Does not know what is logged.
"""

from __future__ import annotations

import logging
import re
import sys
from contextlib import suppress

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from mroute.errors import PluginError
from mroute.events import PHI_FIELDS

# A sentence ends with its first line: what follows is quoted, from the output of a module say.
_UID = re.compile(r"\b[0-2](?:\.\d+){3,}")
"""A DICOM unique identifier (PS3.5 section 9) within a sentence."""


def configure_logs(log_phi: bool, as_json: bool, quiet: bool = False) -> None:
    """Send log lines to standard error, as text for people or as JSON for programs.

    ``log_phi`` keeps the fields named in `mroute.events.PHI_FIELDS` and the UIDs in sentences;
    ``quiet`` leaves out all but warnings.
    """
    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if not log_phi:
        processors.append(_without_phi)
    processors.append(
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.WARNING if quiet else logging.INFO
        ),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
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


def _without_phi(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    return {
        key: _UID.sub("<uid>", value.partition("\n")[0]) if isinstance(value, str) else value
        for key, value in event.items()
        if key not in PHI_FIELDS
    }
