"""Loads a rule file, or says what is wrong with it.

Knows the order: read, validate by the composed model, check, compile. Does not know any of these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, ValidationError

from mroute.config.absent import Absent
from mroute.config.blame import plugin_failures
from mroute.config.cache import ConditionCache, FormCache
from mroute.config.channels import channel_problems
from mroute.config.check import Checks
from mroute.config.choice import ACTION
from mroute.config.codes import Code
from mroute.config.compose import Composition, compose
from mroute.config.configuration import Configuration, CoreSettings
from mroute.config.edition import Edition, edition_of
from mroute.config.nodes import Entry, mapping
from mroute.config.shapes import Shape
from mroute.config.source import Source, read_source
from mroute.config.translate import Translator
from mroute.errors import ConfigurationError, Problem, Severity
from mroute.expr import (
    Checked,
    Clauses,
    Program,
    check,
    compile_condition,
    compile_study,
    parse,
)
from mroute.models import RuleBase
from mroute.registry import Registry
from mroute.ruleset import CompiledRule, RuleSet
from mroute.types import JsonObject, Progress


def load(path: Path, registry: Registry, progress: Progress | None = None) -> Configuration:
    """Load the rule file ``path`` for the plugins in ``registry``.

    ``progress`` is told of every rule. Raises `ConfigurationError` with all errors that are in the
    file, and whatever ``progress`` raises.
    """
    edition = edition_of(path)  # first: what is edited while it is read is another edition
    result = _examine(path, registry, progress)
    errors = [each for each in result.problems if each.severity is Severity.ERROR]
    if errors or result.content is None:
        raise ConfigurationError(errors)
    return _configuration(path, registry, result, edition, progress)


def validate(
    path: Path, registry: Registry, progress: Progress | None = None
) -> tuple[Problem, ...]:
    """All problems of the rule file ``path``, errors and warnings, in the order of the file."""
    return _examine(path, registry, progress).problems


def load_rules(path: str | Path, progress: Progress | None = None) -> RuleSet:
    """The rules of a file, for a program that decides with them: see `RuleSet.evaluate`.

    The installed plugins are loaded. ``progress`` is told of every rule, first while conditions are
    checked and then while the index is built. Raises `ConfigurationError` where the file cannot be
    used, and `DuplicateContributionError` where two plugins contribute one name.
    """
    from mroute.hooks import Hooks  # only where the caller has no registry of its own

    registry = Registry.collect(Hooks.load())
    registry.raise_conflicts()
    return load(Path(path), registry, progress).rules


@dataclass(frozen=True, slots=True)
class _Result:
    problems: tuple[Problem, ...]
    content: Any = None
    conditions: Mapping[str, Checked] = field(default_factory=dict)


def _examine(path: Path, registry: Registry, progress: Progress | None) -> _Result:
    try:
        source = _with_settings(read_source(path))
    except ConfigurationError as error:
        return _Result(_sorted(error.problems))
    composition = compose(registry)
    shape = Shape(composition.file)
    absent = Absent(source, registry, composition.unusable)
    problems = [*source.problems, *_misnamed(source, composition)]
    content: Any = None
    context = {"base": path.absolute().parent}
    try:
        content = composition.file.model_validate(source.root.value, context=context)
    except ValidationError as error:
        problems += Translator(source, shape, absent).problems(error)
    # The edge of the plugins: the validators of their models run within this call.
    except Exception as error:  # noqa: BLE001
        problems += plugin_failures(source, composition, registry, context, error)
    if content is not None:
        sections = _sections(composition, content.settings)
        problems += channel_problems(source, content.rules, sections, registry)
    cache = ConditionCache(path, registry)
    remembered = cache.read()
    checks = Checks(source, registry.functions, absent, remembered)
    checks.run(shape, progress)
    if checks.conditions.keys() != remembered.keys():
        cache.write(checks.conditions)
    return _Result(_sorted([*problems, *checks.problems]), content, checks.conditions)


def _with_settings(source: Source) -> Source:
    """Settings are looked at where the file has none, too: a plugin may need some."""
    entries = {"settings": Entry(0, 1, mapping({}, 0, 1)), **(source.root.entries or {})}
    return source.of(mapping(entries, source.root.start, source.root.end))


def _sorted(problems: Any) -> tuple[Problem, ...]:
    """In the order of the file, each once."""
    return tuple(
        sorted(dict.fromkeys(problems), key=lambda each: (each.line, each.column, each.code))
    )


def _misnamed(source: Source, composition: Composition) -> list[Problem]:
    return [
        source.problem(
            0,
            1,
            Code.PLUGIN_NAME,
            f"plugin '{name}' is named like a setting of mroute itself, expected another name",
            "remove it, or disable it with MROUTE_DISABLE_PLUGINS",
        )
        for name in composition.misnamed
    ]


def _configuration(
    path: Path, registry: Registry, result: _Result, edition: Edition, progress: Progress | None
) -> Configuration:
    composition, content = compose(registry), result.content
    file = path.absolute()
    settings: CoreSettings = content.settings
    sections = _sections(composition, settings)
    return Configuration(
        file=file,
        spool=content.spool,
        timing=content.timing,
        targets=MappingProxyType(content.targets),
        modules=MappingProxyType(content.modules),
        rules=_rule_set(path, registry, result, progress),
        settings=MappingProxyType(sections),
        core=CoreSettings(durability=settings.durability, log_phi=settings.log_phi),
        parse_rule=rule_parser(registry, file.parent),
        study_program=lru_cache(partial(compile_study, functions=registry.functions)),
        warnings=result.problems,
        edition=edition,
    )


def _sections(composition: Composition, settings: CoreSettings) -> dict[str, BaseModel]:
    """The settings of each plugin."""
    return {
        plugin: getattr(settings, attribute) for plugin, attribute in composition.sections.items()
    }


def _rule_set(
    path: Path, registry: Registry, result: _Result, progress: Progress | None
) -> RuleSet:
    clauses = Clauses(registry.functions)
    configured: dict[str, RuleBase] = result.content.rules
    cache = FormCache(path, registry)
    kept = cache.read()
    rules = RuleSet(
        [
            CompiledRule(
                name,
                rule,
                registry.actions[rule.action].phase,
                _program(rule.when, result.conditions, clauses),
            )
            for name, rule in configured.items()
        ],
        progress,
        {name: kept[rule.when] for name, rule in configured.items() if rule.when in kept},
    )
    forms = {configured[name].when: form for name, form in rules.forms.items()}
    if forms.keys() != kept.keys():
        cache.write(forms)
    return rules


def _program(when: str, conditions: Mapping[str, Checked], clauses: Clauses) -> Program:
    """The compiled condition; a plugin's validator may have changed the text of the file."""
    checked = conditions.get(when) or check(parse(when), clauses.functions)
    return compile_condition(checked, clauses)


def rule_parser(registry: Registry, base: Path) -> Callable[[JsonObject], RuleBase]:
    """What makes a rule of what is kept of one, as `Configuration.parse_rule` says.

    Paths in it are relative to the folder ``base``.
    """
    models = compose(registry).choices[ACTION].models

    def parse_rule(content: JsonObject) -> RuleBase:
        action = content.get("action")
        if action not in models:
            raise ValueError(f"no installed plugin contributes the action '{action}'")
        rule = models[str(action)].model_validate(content, context={"base": base})
        assert isinstance(rule, RuleBase)
        return rule

    return parse_rule
