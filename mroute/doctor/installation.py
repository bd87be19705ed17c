"""What is looked at: the plugins, and what is known of the rule file.

Knows how much of a rule file can be used where all of it cannot. Does not know what is checked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mroute import config
from mroute.config import Configuration, Outline
from mroute.doctor.finding import Finding, command, counted, ok, problem, remark
from mroute.errors import (
    ConfigurationError,
    DuplicateContributionError,
    ExitCode,
    Problem,
    Severity,
)
from mroute.registry import Registry
from mroute.site import utc_now
from mroute.types import Clock, Progress

_THE_REST = "targets, and what plugins check of themselves, are looked at when it can be loaded"


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A rule file, as much of it as can be used.

    ``configuration`` is there where it can be loaded, ``outline`` where it can be read at all.
    """

    path: Path
    problems: tuple[Problem, ...] = ()
    configuration: Configuration | None = None
    outline: Outline | None = None


@dataclass(frozen=True, slots=True)
class Installation:
    """The plugins, and the rule file where one was named."""

    registry: Registry
    rules: RuleFile | None = None
    clock: Clock = utc_now


def open_installation(
    registry: Registry,
    file: Path | None,
    clock: Clock = utc_now,
    progress: Progress | None = None,
) -> Installation:
    """As much of the installation as can be opened; of what is wrong nothing is raised."""
    if file is None:
        return Installation(registry, None, clock)
    problems, configuration, outline = tuple[Problem, ...](), None, None
    if not _has_conflicts(registry):
        try:
            configuration = config.load(file, registry, progress)
            problems = configuration.warnings
        except ConfigurationError:
            problems = config.validate(file, registry, progress)
    with suppress(ConfigurationError):  # then nothing of it can be read
        outline = config.outline(file)
    return Installation(registry, RuleFile(file, problems, configuration, outline), clock)


def check_rules(site: Installation) -> Iterator[Finding]:
    """What is wrong with the rule file; its problems are counted, not shown."""
    rules = site.rules
    if rules is None:
        advice = "name it with -c FILE: then it, the spool and the targets are looked at"
        yield remark("none was named", advice)
        return
    how_to_see = f"{command('mroute', 'validate-rules', rules.path)} shows what and where"
    counts = Counter(each.severity for each in rules.problems)
    said = ", ".join(counted(number, kind) for kind, number in sorted(counts.items()))
    if _has_conflicts(site.registry):
        yield remark(
            f"'{rules.path}' is not loaded: two plugins contribute one name, so that nobody knows "
            "what it means",
            f"see 'plugins'; {_THE_REST}",
        )
    elif rules.configuration is None:
        errors = [each for each in rules.problems if each.severity is Severity.ERROR]
        first = f"; the first: {errors[0].message}" if errors else ""
        yield problem(
            f"'{rules.path}' cannot be loaded: {said}{first}",
            f"{how_to_see}; {_THE_REST}",
            ExitCode.CONFIGURATION,
        )
    elif rules.problems:
        yield remark(f"'{rules.path}' is loaded, with {said}", how_to_see)
    else:
        found = (rules.configuration.rules, "rule"), (rules.configuration.targets, "target")
        yield ok(f"'{rules.path}': {', '.join(counted(len(each), what) for each, what in found)}")


def _has_conflicts(registry: Registry) -> bool:
    return any(isinstance(each, DuplicateContributionError) for each in registry.errors)
