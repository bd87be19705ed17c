"""The names, types and limits of the rule language.

Knows what the language is made of and how large anything in it may get. Does not know how a text
is parsed, checked or evaluated.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Language(StrEnum):
    """The languages: a start symbol of the grammar for each."""

    CONDITION = "condition"
    """A condition over the tags of a series."""

    COMPLETION = "completion"
    """A condition over the descriptions of the series that a study has received."""

    STUDY = "study"
    """A condition over the tags of all series of a study."""


class Type(StrEnum):
    """The type of a value, of a function's argument or of its result."""

    TEXT = "text"
    NUMBER = "number"
    TRUTH = "truth value"
    LIST = "list"
    ANY = "any"
    """Not known before the expression is evaluated, or any of the others."""


MAX_LENGTH: Final = 32_768
"""Characters of an expression."""

MAX_NESTING: Final = 100
"""Brackets within brackets, and operators within operators."""

MAX_STEPS: Final = 100_000
"""Steps of an evaluation, about a microsecond each; what would take more is unknown."""

MAX_TEXT: Final = 100_000
"""Characters of a text that an expression makes."""

MAX_ITEMS: Final = 10_000
"""Items of a list that an expression makes."""

MAX_INTEGER: Final = 10**30
"""Size of a whole number; a larger one is unknown."""

MAX_NUMBER_TEXT: Final = 400
"""Characters of a text that is read as a number."""

MAX_PATTERN: Final = 1_000
"""Characters of a pattern."""

MAX_PATTERN_SIZE: Final = 10_000
"""Instructions of all patterns of an expression, as RE2 counts them."""

MAX_MATCHED: Final = 10_240
"""Characters of a text that is searched for a pattern: as long as an LT of DICOM may be."""
