"""From the content of mercure.json to the text of a rule file, with everything that has to be told.

Knows the order of the sections and what they have to know of each other. Does not know what is in
any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mroute.mercure.codes import Code
from mroute.mercure.findings import SETTINGS, Finding, Findings, Where
from mroute.mercure.keys import Keys
from mroute.mercure.modules import convert_module
from mroute.mercure.names import safe_names, variable_names
from mroute.mercure.reading import SECTIONS
from mroute.mercure.rules import Surroundings, convert_rule
from mroute.mercure.settings import FORCE_AFTER, added_tags, convert_timing, tell_the_rest
from mroute.mercure.tags import WRITTEN
from mroute.mercure.targets import convert_target
from mroute.mercure.verdict import verdict
from mroute.mercure.writing import write_rule_file
from mroute.registry import Registry

_ORDER = (SETTINGS, *SECTIONS)


@dataclass(frozen=True, slots=True)
class Imported:
    """The ``text`` of a rule file, and what to look at, in the order of the file."""

    text: str
    findings: tuple[Finding, ...]


def import_configuration(configuration: Mapping[str, Any], registry: Registry) -> Imported:
    """Convert a configuration of mercure, as `read_configuration` gives it."""
    content = _Import(configuration, registry)
    text = write_rule_file(content.rule_file())
    findings = [*content.findings.all, *verdict(text, registry)]
    places = {
        (section, name): number
        for number, (section, name) in enumerate(content.names_in_order(), len(_ORDER))
    }
    found = sorted(
        dict.fromkeys(findings),
        key=lambda each: (
            _ORDER.index(each.section),
            places.get((each.section, each.name), 0),
        ),
    )
    return Imported(text, tuple(found))


class _Import:
    """The conversion of one configuration."""

    def __init__(self, configuration: Mapping[str, Any], registry: Registry) -> None:
        self.findings = Findings()
        self._registry = registry
        self._sections = {each: configuration[each] for each in SECTIONS}
        self._names = {each: safe_names(content) for each, content in self._sections.items()}
        self._variables = variable_names(self._names["targets"].values())
        rest = {key: value for key, value in configuration.items() if key not in SECTIONS}
        self._keys = Keys(rest, self.findings.about(SETTINGS))

    def names_in_order(self) -> list[tuple[str, str]]:
        """Section and name of every entry of the rule file."""
        return [(each, name) for each in SECTIONS for name in self._names[each].values()]

    def rule_file(self) -> dict[str, Any]:
        """The content of the rule file."""
        runner = self._keys.text("process_runner")
        around = self._surroundings()
        content = {
            "version": 1,
            "spool": "spool",
            "timing": convert_timing(self._keys),
            "targets": self._entries("targets", self._target),
            "modules": self._entries("modules", lambda _, c, keys: convert_module(keys, runner)),
            "rules": self._entries("rules", lambda name, _, keys: convert_rule(name, keys, around)),
        }
        if not self._sections["modules"] and runner:
            message = "there are no modules that it could run"
            self._keys.where.tell(Code.UNUSED, "process_runner", message)
        tell_the_rest(self._keys)
        return {key: value for key, value in content.items() if value != {} or key == "rules"}

    def _target(self, name: str, content: Mapping[str, Any], keys: Keys) -> dict[str, Any]:
        return convert_target(content, keys, self._variables[keys.where.name])

    def _surroundings(self) -> Surroundings:
        rules = self._sections["rules"]
        force_after = self._keys.number("study_forcecomplete_trigger", FORCE_AFTER)
        collects = any(_is(rule, "action_trigger", "study") for rule in rules.values())
        if not collects and force_after != FORCE_AFTER:
            message = "no rule collects studies, so there is none to be forced"
            hint = "write it as 'after' into the section 'study' of such a rule"
            self._keys.where.tell(Code.UNUSED, "study_forcecomplete_trigger", message, hint)
        fallbacks = [
            name
            for name, rule in rules.items()
            if _is(rule, "fallback", True) and not _is(rule, "disabled", True)
        ]
        return Surroundings(
            targets=self._names["targets"],
            modules=self._names["modules"],
            functions=self._registry.functions,
            written=WRITTEN | added_tags(self._keys),
            force_after=force_after,
            last_fallback=fallbacks[-1] if fallbacks else None,
        )

    def _entries(
        self, section: str, convert: Callable[[str, Mapping[str, Any], Keys], Any]
    ) -> dict[str, Any]:
        entries = {}
        for name, content in self._sections[section].items():
            ours = self._names[section][name]
            where = self.findings.about(section, ours)
            if ours != name:
                message = f"mercure calls it {name!a}, which must not be in a file name"
                hint = "look for the old name in what reads mercure's events or folders"
                where.tell(Code.RENAMED, "", message, hint)
            if isinstance(content, dict):
                entries[ours] = convert(name, content, Keys(content, where))
            else:
                entries[ours] = _no_entry(content, where)
        return entries


def _no_entry(content: Any, where: Where) -> Any:
    message = "this is no JSON object, and so no entry"
    where.tell(Code.TYPE, "", message, "it is in the rule file as it is; correct it there")
    return content


def _is(entry: Any, key: str, value: object) -> bool:
    return isinstance(entry, dict) and entry.get(key) == value
