"""``mroute fmt``: one canonical spelling of rule files, and the care with which they are rewritten.

Knows YAML, JSON and TOML as people write them. Does not know any plugin by name: an action that is
not installed is formatted like any other.
"""

from mroute.formatting.rewrite import (
    Formatted,
    format_condition,
    format_file,
    format_text,
    replace_file,
)

__all__ = ["Formatted", "format_condition", "format_file", "format_text", "replace_file"]
