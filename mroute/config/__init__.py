"""The rule file: one file, composed from the models of the installed plugins.

Knows how it is read, checked and described by a schema. Does not know what is done by it: engine,
spool and plugins ask the `Configuration`.
"""

from mroute.config.configuration import Configuration, CoreSettings, Timing
from mroute.config.edition import edition_of
from mroute.config.load import load, load_rules, rule_parser, validate
from mroute.config.outline import Outline, outline
from mroute.config.schema import rules_schema, settings_schema

__all__ = [
    "Configuration",
    "CoreSettings",
    "Outline",
    "Timing",
    "edition_of",
    "load",
    "load_rules",
    "outline",
    "rule_parser",
    "rules_schema",
    "settings_schema",
    "validate",
]
