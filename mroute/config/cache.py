"""What was found out about the conditions of a rule file, kept so that it need not be again.

Knows what is kept: the checked conditions, and their normal forms. Does not know where, or when it
must not be used (kept), or how either is written down (expr/stored, ruleset/stored).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mroute.config.kept import KeptFile
from mroute.expr import Checked, stored
from mroute.garbage import without_collection
from mroute.registry import Registry
from mroute.ruleset import stored as stored_forms
from mroute.ruleset.literals import Form


class ConditionCache:
    """The checked conditions of one rule file."""

    def __init__(self, rule_file: Path, registry: Registry) -> None:
        self._functions = registry.functions
        self._file = KeptFile(rule_file, registry, "conditions", stored.FORMAT)

    def read(self) -> dict[str, Checked]:
        """The conditions by their texts; none where there are none that can be relied on."""
        with without_collection():
            content = self._file.read()
            try:
                return {} if content is None else stored.read_back(content, self._functions)
            except (ValueError, RecursionError):
                return {}

    def write(self, conditions: Mapping[str, Checked]) -> None:
        """Keep ``conditions`` in place of what was kept before; where it cannot be, nothing is."""
        self._file.write(stored.write_down(conditions))


class FormCache:
    """The normal forms of the conditions of one rule file."""

    def __init__(self, rule_file: Path, registry: Registry) -> None:
        self._file = KeptFile(rule_file, registry, "forms", stored_forms.FORMAT)

    def read(self) -> dict[str, Form]:
        """The forms by the texts of the conditions; none where there are none to rely on."""
        with without_collection():
            content = self._file.read()
            try:
                return {} if content is None else stored_forms.read_back(content)
            except (ValueError, RecursionError):
                return {}

    def write(self, forms: Mapping[str, Form]) -> None:
        """Keep ``forms`` in place of what was kept before; where it cannot be, nothing is."""
        self._file.write(stored_forms.write_down(forms))
