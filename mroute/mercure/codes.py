"""The codes of what an import from mercure reports.

Knows every code and what it is about; the how-to lists them. Does not know when which is found.
"""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """What a finding is about: MR40x keys and entries, MR41x expressions, MR42x messages."""

    NO_COUNTERPART = "MR401"
    UNUSED = "MR402"
    UNKNOWN_KEY = "MR403"
    TYPE = "MR404"
    RENAMED = "MR405"
    PLAIN_TEXT = "MR406"
    CHANGED = "MR407"
    ABSENT = "MR408"
    LEFT_OUT = "MR409"
    REWRITE = "MR410"
    BESIDE_OR = "MR411"
    EMPTY = "MR412"
    NUMBER = "MR413"
    PYTHON = "MR414"
    TAG_NAME = "MR415"
    SEVERAL = "MR416"
    IN_TEXT = "MR417"
    FORCED = "MR418"
    COMPLETION = "MR419"
    MESSAGE = "MR420"


MEANINGS: dict[Code, str] = {
    Code.NO_COUNTERPART: "nothing in a rule file corresponds to the setting",
    Code.UNUSED: "mercure does not use the key in this place, so it is left out",
    Code.UNKNOWN_KEY: "the key is not one of mercure's that mroute knows",
    Code.TYPE: "the value is of another type than mercure takes; it is carried over as it is",
    Code.RENAMED: "the name must not become a part of a path, so the entry has another one",
    Code.PLAIN_TEXT: "a credential stands in the rule file in plain text",
    Code.CHANGED: "mroute does the same thing in another way",
    Code.ABSENT: "something that the entry needs is not there, or names what is not there",
    Code.LEFT_OUT: "a credential was left out: no secret of a target gets into the rule file",
    Code.REWRITE: "the expression has to be rewritten by a person; until then no rule is in force",
    Code.BESIDE_OR: "where a tag is missing or no number, the rule can trigger now",
    Code.EMPTY: "a missing tag was an empty text, and is unknown now",
    Code.NUMBER: "a text that was compared with a number was none, and is read as one now",
    Code.PYTHON: "mercure's evaluator refuses what mroute takes, so the rule never triggered",
    Code.TAG_NAME: "a tag is spelled otherwise than in DICOM",
    Code.SEVERAL: "a tag with several values had the first only, and has all of them now",
    Code.IN_TEXT: "mercure replaced a tag within a text in quotes",
    Code.FORCED: "a rule is forced by a trusted source, never by a tag",
    Code.COMPLETION: "the study is complete under other circumstances",
    Code.MESSAGE: "the message of a notification cannot be the same",
}
