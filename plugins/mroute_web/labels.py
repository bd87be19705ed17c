"""Labels of subjects and sessions at an XNAT, made of the tags of an image.

Knows what a label may hold, and that two patients must not get one label. Does not know XNAT.
"""

from __future__ import annotations

import hashlib
import re
import string
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from mroute.api import Tags

_LONGEST = 64
"""Characters of a value that are used; no UID has more."""

_DIGEST = 8
_UID = re.compile(r"[0-9]+(\.[0-9]+){3,}")
"""What is taken for a UID: no patient has such an ID."""


class NoLabelError(ValueError):
    """An image has no value that its label is made of; the text names the tag."""


def label_for(template: str, tags: Tags) -> str:
    """The label of an image with these tags; raises `NoLabelError`."""
    return "".join(
        text + ("" if keyword is None else _value(keyword, tags))
        for text, keyword in _parts(template)
    )


def as_label(value: str) -> str:
    """A value as a part of a label: letters, digits, ``_`` and ``-``.

    The dots of a UID become ``_``. Any other value that cannot stand as it is has a digest of it at
    its end: ``A/1`` and ``A 1`` may be two patients.
    """
    label = re.sub(r"[^A-Za-z0-9_-]", "_", value)
    if len(value) <= _LONGEST and (label == value or _UID.fullmatch(value)):
        return label
    digest = hashlib.sha256(value.encode("utf-8", "surrogateescape")).hexdigest()[:_DIGEST]
    return f"{label[: _LONGEST - _DIGEST - 1]}-{digest}"


def check_label(template: str) -> str:
    """Return ``template``; raises `ValueError` with a sentence where it makes no label."""
    keywords = 0
    for text, keyword in _parts(template):
        if not re.fullmatch(r"[A-Za-z0-9_-]*", text):
            raise ValueError(
                f"{text!a} cannot stand in a label of XNAT; it takes letters, digits, '_' and '-'"
            )
        if keyword is not None:
            keywords += 1
            if not (keyword.isascii() and keyword.isalnum()):
                raise ValueError(
                    f"'{{{keyword}}}' names no tag; expected a keyword such as {{PatientID}}"
                )
    if not keywords:
        raise ValueError("all images would get one label; expected a tag such as {PatientID}")
    return template


Label = Annotated[
    str,
    AfterValidator(check_label),
    Field(examples=["{PatientID}", "{PatientID}_{StudyDate}"]),
]
"""A label of XNAT: text, and tags by keyword in braces."""


def _value(keyword: str, tags: Tags) -> str:
    value = tags.get(keyword, "").strip()
    if not value:
        raise NoLabelError(f"it has no {keyword}, of which its label at XNAT is made")
    return as_label(value)


def _parts(template: str) -> Iterator[tuple[str, str | None]]:
    """Texts and the keyword after each, which may be none."""
    try:
        for text, keyword, specification, conversion in string.Formatter().parse(template):
            if specification or conversion:
                raise ValueError(f"expected a keyword alone in '{{{keyword}}}'")
            yield text, keyword
    except ValueError as error:
        raise ValueError(f"{template!a} is no label: {error}") from error
