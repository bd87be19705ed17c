"""What is known of a series or study beside its images: for its task file, and for who is told.

Knows which tags these facts are, and which of them lead to a patient. Does not know who may be
told what: the settings of a channel say so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_UID = re.compile(r"\b[0-2](?:\.\d+){3,}")
"""A DICOM unique identifier (PS3.5 section 9) within a sentence."""

_QUOTED_UID = re.compile(
    r"""(?<=UID)( is longer than \d+ bytes:)? (?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
)
"""What is said to be a UID, and may be anything: a sentence quotes it where it is no safe name."""

MISSING = "MISSING"
"""Stands where a tag is missing."""

UNKNOWN = "UNKNOWN"
"""Stands where nobody can, or may, be told who the patient is."""

PATIENT: Mapping[str, str] = {
    "patient_name": "PatientName",
    "mrn": "PatientID",
    "acc": "AccessionNumber",
}
"""The facts that lead to a patient, with their tags."""

FACTS: Mapping[str, str] = {
    "sender_address": "SenderAddress",
    "sender_aet": "SenderAET",
    "receiver_aet": "ReceiverAET",
    "device_serial_number": "DeviceSerialNumber",
    "modality": "Modality",
}
"""The others, with their tags."""


def tag_facts(tags: Mapping[str, str]) -> dict[str, str]:
    """All facts, as the tags have them."""
    return {key: tags.get(tag) or MISSING for key, tag in {**PATIENT, **FACTS}.items()}


def facts_in(info: Mapping[str, object], keys: Mapping[str, str]) -> dict[str, str]:
    """Those of the facts that ``keys`` names, from all; a task file of long ago lacks some."""
    return {key: str(info.get(key, MISSING)) for key in keys}


def discreet(sentence: str) -> str:
    """A sentence without UIDs and without what it quotes below its first line.

    That may be the output of a module, and say anything.
    """
    text = sentence
    if "." in text:
        text = _UID.sub("<uid>", text)
    if "UID" in text:
        text = _QUOTED_UID.sub(r"\1 '<uid>'", text)
    return text.partition("\n")[0]
