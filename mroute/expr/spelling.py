"""How texts and numbers are written in an expression.

Knows quotes, escapes and digits, in both directions. Does not know what stands around them.
"""

from __future__ import annotations

import math
import re
from unicodedata import category

from mroute.expr.language import MAX_NUMBER_TEXT

_ESCAPE = re.compile(
    r"\\(?:([\\'\"abfnrtv])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3}))"
)
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

_HIDDEN = frozenset({"Cc", "Cf", "Zl", "Zp"})
"""Unicode's categories of controls, of marks such as those for direction, and of line ends."""


def read_text(token: str) -> str:
    """The text that ``token``, quotes and an ``r`` in front included, stands for."""
    if token[0] in "rR":
        return token[2:-1]
    return _ESCAPE.sub(_unescape, token[1:-1]) if "\\" in token else token[1:-1]


def write_text(value: str) -> str:
    """``value`` in quotes so that reading gives it back; what cannot be seen is escaped."""
    quote = '"' if "'" in value and '"' not in value else "'"
    return quote + "".join(_escape(c, quote) for c in value) + quote


def read_number(token: str) -> int | float:
    """The number that ``token`` stands for; infinity where it is too large for any."""
    if token.isdigit():
        # Python refuses to read several thousand digits, and takes its time for a thousand.
        return int(token) if len(token) <= MAX_NUMBER_TEXT else math.inf
    return float(token)


def is_hidden(character: str) -> bool:
    """Whether ``character`` changes how a line looks without being seen itself."""
    return category(character) in _HIDDEN and character not in " \t\r\n\f"


def _unescape(match: re.Match[str]) -> str:
    simple, *codes, octal = match.groups()
    if simple:
        return _SIMPLE.get(simple, simple)
    number = int(octal, 8) if octal else int(next(filter(None, codes)), 16)
    # Beyond Unicode there is no character: what was written stays, as it does for \q.
    return chr(number) if number <= 0x10FFFF else match.group()


def _escape(character: str, quote: str) -> str:
    if character in ("\\", quote):
        return "\\" + character
    if character.isprintable():
        return character
    code = ord(character)
    for simple, value in _SIMPLE.items():
        if value == character:
            return "\\" + simple
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
