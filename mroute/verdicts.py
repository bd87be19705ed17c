"""Whether a study is complete: an administrator, its condition or its time says so.

Knows in which order these are asked, and whose fault it is where a condition fails. Does not know
any condition, or what becomes of the study.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType

from mroute.contributions import ConditionType
from mroute.errors import PluginError, is_shortage
from mroute.models import ForcedCompletion
from mroute.registry import Registry
from mroute.types import Check, Study, Verdict

BY_HAND = "an administrator said so"
"""Why a study is complete whose task file has ``complete_force``."""


def is_study_complete(study: Study, now: datetime, pending: Sequence[str]) -> Verdict:
    """Whether the study is complete at the time ``now``, and because of what.

    ``pending`` are the SeriesInstanceUIDs of the study that are still arriving. Where the condition
    is not met, ``after`` and ``else`` may force it. Raises `PluginError` where a condition fails.
    """
    if study.section.get("complete_force") is True:
        return Verdict(True, BY_HAND)
    verdict = study.asked(study.condition, now, pending)
    if verdict.complete:
        return verdict
    if forced := study.forced(now):
        return forced
    return replace(verdict, valid_until=_not_after(study, verdict.valid_until))


def _not_after(study: Study, valid_until: datetime | None) -> datetime | None:
    """The earlier of the time until which a verdict holds and that at which it is forced."""
    condition = study.condition
    if condition.after is None or condition.otherwise is ForcedCompletion.IGNORE:
        return valid_until
    return None if valid_until is None else min(valid_until, study.created_at + condition.after)


@lru_cache(maxsize=4)
def checks_of(registry: Registry) -> Mapping[str, Check]:
    """The check of every installed condition by its name, as `Study.checks` wants them."""
    return MappingProxyType(
        {
            name: _guarded(condition, registry.contributed_by.get(("condition", name), "unknown"))
            for name, condition in registry.conditions.items()
        }
    )


def _guarded(condition: ConditionType, plugin: str) -> Check:
    """The check of a condition; it raises nothing but `PluginError`, and `OSError` in need."""

    def check(study: Study, now: datetime, pending: Sequence[str]) -> Verdict:
        try:
            verdict = condition.check(study, now, pending)
        except PluginError:  # of a condition that this one is made of
            raise
        # The edge of a plugin call: a condition that fails must not hold up the other studies.
        except Exception as error:
            if isinstance(error, OSError) and is_shortage(error):
                raise  # it read tags, and will be able to in a moment
            said = f"condition '{condition.name}' raised {type(error).__name__}: {error}"
            raise PluginError(plugin, said) from error
        if not isinstance(verdict, Verdict):
            said = f"condition '{condition.name}' returned {verdict!r}, expected a Verdict"
            raise PluginError(plugin, said)
        return verdict

    return check
