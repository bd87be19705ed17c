"""The rule function ``person``: a DICOM name with its family name, given name and so on.

Knows the value representation PN (PS3.5, 6.2.1): groups, and their components. Does not know tags
or rules, or in which order a country writes names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from mroute.api import Record, Type

_COMPONENTS: Final = ("family", "given", "middle", "prefix", "suffix")
_GROUPS: Final = ("ideographic", "phonetic")

PERSON: Final = Record("person", dict.fromkeys((*_COMPONENTS, *_GROUPS), Type.TEXT))
"""The components of the first, alphabetic group, and the other two groups whole."""


def person(text: str) -> Mapping[str, str]:
    r"""The parts of a name such as ``Yamada^Tarou=\u5c71\u7530^\u592a\u90ce``.

    What is left out is an empty text; blanks around a component do not count. Raises `ValueError`
    for several names, and for more components or groups than a name has.
    """
    if "\\" in text:
        raise ValueError(f"{text!a} is several names, expected one: values(...)[0] is the first")
    groups = _split(text, "=", 1 + len(_GROUPS))
    components = _split(groups[0], "^", len(_COMPONENTS))
    return dict(zip((*_COMPONENTS, *_GROUPS), (*components, *groups[1:]), strict=True))


def _split(text: str, separator: str, most: int) -> list[str]:
    """The parts of ``text``, and empty ones after them: ``most`` in all."""
    parts = [part.strip(" \0") for part in text.split(separator)]
    if any(parts[most:]):
        raise ValueError(f"{text!a} is no name: more than {most} parts between '{separator}'")
    return [*parts[:most], *[""] * (most - len(parts))]
