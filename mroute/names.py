"""Which names from outside may become a part of a path.

Knows the rule for UIDs, rule, target and module names alike. Does not know any path.
"""

from __future__ import annotations

import unicodedata

from mroute.errors import UnsafeNameError

MAX_BYTES = 120
"""Longest name in bytes: two names with a separator still make one file name."""


def safe_name(name: str, what: str) -> str:
    """Return ``name`` unchanged where it can safely be a part of a path.

    ``what`` names the thing for the message (``SeriesInstanceUID``, ``rule name``). Raises
    `UnsafeNameError` for a name that is empty, too long, begins with a dot, or holds a separator
    (``/``, ``\\``, ``#``) or a character that cannot be printed.
    """
    if not name:
        raise UnsafeNameError(f"the {what} is empty")
    if len(name.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise UnsafeNameError(f"the {what} is longer than {MAX_BYTES} bytes: {name[:40]!a}...")
    if name.startswith("."):
        raise UnsafeNameError(f"the {what} {name!a} begins with a dot")
    for character in name:
        if character in "/\\#" or unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp"):
            raise UnsafeNameError(
                f"the {what} {name!a} holds {character!a}, which must not be in a file name"
            )
    return name
