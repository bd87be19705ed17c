"""What a message may say: the values that its templates use.

Knows their names, and that a patient is named only where the settings allow it. Does not know
templates, or what a message looks like.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mroute.api import FACTS, PATIENT, UNKNOWN, Notice, NoticeEvent

_NO_TEXT = re.compile("[\ud800-\udfff]")
"""Stands for a byte that could not be decoded; JSON and mail have no way to say it."""

SAMPLE: Mapping[str, Any] = {
    "event": NoticeEvent.RECEIVED.value,
    "rule": "a-rule",
    "task_id": "00000000-0000-0000-0000-000000000000",
    "details": 'it said "no"',
    "facts": {"uid_type": "series", **dict.fromkeys(FACTS, "sample")},
    "device": "sample",
    **dict.fromkeys(PATIENT, UNKNOWN),
}
"""Values to try out a template with."""

DEFAULT = ("event", "rule", "task_id", "details")
"""What a message says that is not told what to say."""


def values_of(notice: Notice, patient_data: bool) -> dict[str, Any]:
    """The values of a notice; ``patient_data`` is whether the settings allow to name a patient."""
    facts = {key: _clean(value) for key, value in notice.facts.items()}
    patient = notice.patient if patient_data else {}
    return {
        "event": notice.event.value,
        "rule": notice.rule_name,
        "task_id": notice.task_id,
        "details": _clean(notice.details),
        "facts": facts,
        "device": facts.get("device_serial_number", UNKNOWN),
        **{key: _clean(patient.get(key, UNKNOWN)) for key in PATIENT},
    }


def _clean(value: Any) -> str:
    return _NO_TEXT.sub("\ufffd", str(value))
