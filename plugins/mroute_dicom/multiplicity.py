"""The rule function ``values``: the values of a tag that has several.

Knows how DICOM writes several values (PS3.5, 6.4). Does not know tags or rules.
"""

from __future__ import annotations


def values(text: str) -> list[str]:
    r"""The values that ``ORIGINAL\PRIMARY`` has, without the blanks around each.

    An empty text has none; an empty value between others is an empty text.
    """
    found = [value.strip(" \0") for value in text.split("\\")]
    return [] if found == [""] else found
