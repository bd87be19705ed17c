"""AE titles (PS3.5, 6.2).

Knows what one looks like. Does not know whose it is.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

_LONGEST = 16


def _ae_title(text: str) -> str:
    """The title without the blanks around it, which do not count."""
    title = text.strip()
    if not 1 <= len(title) <= _LONGEST or not title.isascii() or not title.isprintable():
        raise ValueError(f"expected an AE title: 1 to {_LONGEST} ASCII characters")
    if "\\" in title:
        raise ValueError("expected an AE title, which has no backslash")
    return title


AETitle = Annotated[str, AfterValidator(_ae_title)]
