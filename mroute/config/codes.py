"""The codes of the problems of a rule file, with what each is about.

Knows every code; the reference page of the rule file lists them. Does not know when which is found.
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
    SPOOL_MOVED = "MR290"


MEANINGS: dict[Code, str] = {
    Code.UNREADABLE: "the file does not exist, is a folder, is too large or may not be read",
    Code.ENCODING: "the text is not UTF-8, or holds a character that must not be in a file",
    Code.SYNTAX: "the text is not YAML (or JSON or TOML)",
    Code.DUPLICATE_KEY: "a key is there twice, and only one of the two would count",
    Code.NO_MAPPING: "the file is empty, or its top level is not a mapping",
    Code.ALIAS: "a YAML alias has no anchor, holds itself, or grows the file too much",
    Code.TAG: "a YAML tag is not one of the core schema, or its value does not fit",
    Code.KEY: "a key of a mapping is not a text",
    Code.NESTING: "mappings and lists are nested too deep",
    Code.UNKNOWN_KEY: "nothing reads this key",
    Code.MISSING: "a field that is needed is not there",
    Code.TYPE: "a value is of another type than expected",
    Code.VALUE: "a value is of the right type but cannot be used",
    Code.CHOICE: "a value is not one of those that there are",
    Code.UNKNOWN_CONTRIBUTION: "no installed plugin contributes this action, type, channel ...",
    Code.NAME: "a name must not become a part of a path",
    Code.UNKNOWN_REFERENCE: "a rule names a target or module that the file does not have",
    Code.STUDY_MISSING: "`on: study` without a `study` section",
    Code.STUDY_UNUSED: "a `study` section without `on: study`",
    Code.NO_RULES: "the file has no rules, so that every series is discarded (a warning)",
    Code.PLUGIN_NAME: "a plugin is named like a setting of mroute itself",
    Code.PLUGIN_FAILED: "a plugin fails to check a value, instead of saying what is wrong",
    Code.SPOOL_MOVED: "the spool was moved while mroute runs",
}
