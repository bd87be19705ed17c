"""All checks of an installation, made at the same time.

Knows which checks there are, and what can be checked where the rule file cannot be loaded. Does not
know any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from mroute.config import Configuration, Outline
from mroute.contributions import HealthCheck, HealthContext
from mroute.doctor.at_once import Unanswered, at_once
from mroute.doctor.clock import check_clock
from mroute.doctor.finding import Finding, command, complaint, ok, problem
from mroute.doctor.folders import check_file_system, check_folders, check_space
from mroute.doctor.installation import Installation, RuleFile, check_rules
from mroute.doctor.owners import check_owners
from mroute.doctor.permissions import check_permissions
from mroute.doctor.plugins import check_plugins
from mroute.doctor.runs import check_runs, processes_here
from mroute.doctor.targets import sentences, target_checks
from mroute.doctor.waiting import check_waiting
from mroute.spool.layout import Spool
from mroute.spool.upkeep.listing import Look
from mroute.types import Clock

PATIENCE = 30.0
"""Seconds that all checks have together."""

_LOOK_ITSELF = "see whether the disk answers, and whether this user may read the spool"


@dataclass(frozen=True, slots=True)
class _Check:
    """A check; ``unanswered`` is what to do where it comes to nothing."""

    look: Callable[[], Iterable[Finding]]
    unanswered: str = _LOOK_ITSELF


def examine(site: Installation, patience: float = PATIENCE) -> Iterator[tuple[str, Finding]]:
    """What each check finds, by its name; each finds something, if only that nothing is wrong.

    Nothing is raised, whatever a plugin does: a check that fails, or has no answer when the
    ``patience`` is at its end, in seconds, is a problem.
    """
    for finding in check_plugins(site.registry):
        yield "plugins", finding
    for finding in check_rules(site):
        yield "rule file", finding
    checks = _checks(site)
    answers = at_once({name: check.look for name, check in checks.items()}, patience)
    for name, answer in answers.items():
        if isinstance(answer, Unanswered):
            said = f"this could not be looked at: {answer.because}"
            yield name, problem(said, checks[name].unanswered)
        else:
            yield from ((name, finding) for finding in answer)


def _checks(site: Installation) -> dict[str, _Check]:
    rules = site.rules
    if rules is None or rules.outline is None:
        return {"clock": _Check(partial(check_clock, site.clock(), None))}
    checks = _of_the_spool(site, rules, rules.outline)
    if rules.configuration is not None:
        checks |= _of_targets(site, rules.configuration)
        checks |= _of_plugins(site, rules.configuration)
    return checks


def _of_the_spool(site: Installation, rules: RuleFile, outline: Outline) -> dict[str, _Check]:
    spool, queues, timing, now = (
        Spool(outline.spool),
        site.registry.queues,
        outline.timing,
        site.clock(),
    )
    look = Look(
        spool,
        now,
        {name: queue.section for name, queue in queues.items()},
        timing.series_complete_after,
        timing.series_complete_after_by_sender,
        timing.retry_max,
    )
    calls: dict[str, Callable[[], Iterable[Finding]]] = {
        "spool": partial(check_folders, spool, queues),
        "file system": partial(check_file_system, spool, queues),
        "space": partial(check_space, spool, queues),
        "clock": partial(check_clock, now, spool),
        "permissions": partial(check_permissions, rules.path, rules.configuration, spool, queues),
        "owners": partial(check_owners, spool),
        "runs": partial(check_runs, spool, rules.path, site.clock),
        "waiting": partial(check_waiting, look, rules.path),
    }
    return {name: _Check(call) for name, call in calls.items()}


def _of_targets(site: Installation, configuration: Configuration) -> dict[str, _Check]:
    """The targets as their types check them; no image is offered to them."""
    found = {}
    for name, ask in target_checks(site.registry, configuration.targets).items():
        again = command("mroute", "targets", "check", "-c", configuration.file, name)
        advice = f"{again} asks again, with what waits for it"
        found[f"target {name}"] = _Check(partial(_complaints, ask, advice), advice)
    return found


def _of_plugins(site: Installation, configuration: Configuration) -> dict[str, _Check]:
    found = {}
    for name, check in site.registry.health_checks.items():
        plugin = site.registry.contributed_by["health check", name]
        ask = partial(_asked, check, configuration, site.clock)
        advice = f"tell the author of plugin '{plugin}'"
        found[f"{plugin}/{name}"] = _Check(partial(_complaints, ask, ""), advice)
    return found


def _asked(check: HealthCheck, configuration: Configuration, clock: Clock) -> list[str]:
    context = HealthContext(
        settings=configuration.settings,
        targets=configuration.targets,
        spool=configuration.spool,
        durability=configuration.core.durability,
        runs=processes_here(Spool(configuration.spool), configuration.file, clock),
    )
    return sentences(check.check(context))


def _complaints(ask: Callable[[], list[str]], advice: str) -> list[Finding]:
    """What a plugin finds wrong; ``advice`` is for what it gives no advice for."""
    return [complaint(each, advice) for each in ask()] or [ok("nothing is wrong")]
