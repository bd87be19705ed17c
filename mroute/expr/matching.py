"""Regular expressions in linear time, by RE2.

Knows how a pattern is compiled and looked for, and what that costs. Does not know what to say about
a pattern that cannot be used (patterns). RE2 is an optional library, imported on first use.
"""

from __future__ import annotations

from typing import Final

from mroute.expr.function import RuleFunction
from mroute.expr.language import MAX_MATCHED, Type
from mroute.expr.values import UnanswerableError

_MEMORY: Final = 1 << 20
"""Bytes that one pattern may use, for its program and what RE2 remembers of its states."""


class PatternError(ValueError):
    """Raised for a pattern that RE2 refuses, with its reason: ``what is wrong: the place``."""


class Pattern:
    """A compiled pattern; ``size`` is the number of its instructions.

    Raises `PatternError` for one that RE2 refuses, `ImportError` where there is no RE2.
    """

    __slots__ = ("_search", "size")

    def __init__(self, text: str) -> None:
        from re2 import Options, error  # type: ignore[import-untyped]
        from re2 import compile as compile_pattern

        options = Options()
        options.max_mem = _MEMORY
        options.never_capture = True
        options.log_errors = False
        try:
            compiled = compile_pattern(_encoded(text), options)
        except error as refused:
            raise PatternError(refused.args[0].decode("utf-8", "replace")) from None
        self._search = compiled.search
        self.size: int = compiled.programsize

    def found_in(self, text: str) -> bool:
        """Whether ``text`` contains the pattern. Unanswerable for a text that is too long."""
        if len(text) > MAX_MATCHED:
            raise UnanswerableError(
                f"a text of more than {MAX_MATCHED:,} characters is not searched for a pattern"
            )
        return self._search(_encoded(text)) is not None


def is_available() -> bool:
    """Whether the library is installed."""
    try:
        Pattern("")
    except ImportError:
        return False
    return True


def matches(text: str, pattern: str) -> bool:
    """Whether ``text`` contains ``pattern``: the function of that name."""
    return Pattern(pattern).found_in(text)


def matches_of(pattern: str) -> RuleFunction:
    """``matches`` with a ``pattern`` that is compiled once and for all."""
    return RuleFunction("matches", (Type.TEXT,), Type.TRUTH, Pattern(pattern).found_in)


def size_of(pattern: str) -> int:
    """The number of instructions of ``pattern``, each of which may look at every character."""
    return Pattern(pattern).size


def _encoded(text: str) -> bytes:
    # A lone surrogate, as from a byte that is no UTF-8, is one character like others.
    return text.encode("utf-8", "surrogatepass")
