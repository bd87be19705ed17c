"""What an import has to tell: findings, each with the entry and the key that it is about.

Knows how findings are collected and named. Does not know what is looked for.
"""

from __future__ import annotations

from dataclasses import dataclass

from mroute.errors import Severity

SETTINGS = "settings"
"""The section of the keys beside rules, targets and modules."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a person should look at.

    ``section`` is rules, targets, modules or settings, ``name`` that of the entry in the rule file
    (empty in settings), ``key`` mercure's key, with dots where it is within another. An error is
    what keeps the rule file from being used.
    """

    section: str
    name: str
    key: str
    code: str
    message: str
    hint: str = ""
    severity: Severity = Severity.WARNING


class Findings:
    """Collects the findings of one import."""

    def __init__(self) -> None:
        self.all: list[Finding] = []

    def about(self, section: str, name: str = "") -> Where:
        """A place to tell findings of one entry."""
        return Where(self, section, name)


@dataclass(frozen=True, slots=True)
class Where:
    """An entry of the configuration whose findings are collected."""

    findings: Findings
    section: str
    name: str

    def tell(self, code: str, key: str, message: str, hint: str = "") -> None:
        """Collect a finding about ``key``."""
        self.findings.all.append(Finding(self.section, self.name, key, code, message, hint))
