"""The codes of the problems of a rule file.

Knows every code; docs/reference/rule-file-messages.md explains each. Does not know when which is
found.
"""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """What a problem is about: MR20x the text, MR21x one entry, MR22x how entries fit together."""

    UNREADABLE = "MR200"
    ENCODING = "MR201"
    SYNTAX = "MR202"
    DUPLICATE_KEY = "MR203"
    NO_MAPPING = "MR204"
    ALIAS = "MR205"
    TAG = "MR206"
    KEY = "MR207"
    NESTING = "MR208"
    UNKNOWN_KEY = "MR210"
    MISSING = "MR211"
    TYPE = "MR212"
    VALUE = "MR213"
    CHOICE = "MR214"
    UNKNOWN_CONTRIBUTION = "MR215"
    NAME = "MR216"
    UNKNOWN_REFERENCE = "MR220"
    STUDY_MISSING = "MR221"
    STUDY_UNUSED = "MR222"
    NO_RULES = "MR223"
    PLUGIN_NAME = "MR224"
    PLUGIN_FAILED = "MR225"
    EMPTY_EXPRESSION = "MR226"
    NESTED_CONDITION = "MR227"
    CHANNEL_LACKS = "MR228"
    SPOOL_MOVED = "MR290"
