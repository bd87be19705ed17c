"""The canonical order of keys.

Knows it from the models of the core: what a plugin adds stands in one place among them, in the
order of its author. Does not know any plugin, and leaves names that people give in their order:
that of rules has a meaning.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from pydantic import BaseModel

from mroute.config.compose import compose
from mroute.config.configuration import CoreSettings, Timing
from mroute.config.nodes import Path
from mroute.config.shapes import fields_of
from mroute.models import ChannelBase, ConditionBase, ModuleBase, RuleBase, TargetBase
from mroute.registry import Registry

_MERGE = "<<"

_OF_ACTIONS = ("modules", "settings", "targets")
"""What the actions that come with mroute add to a rule; other plugins' keys are behind them."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KeyOrder:
    """The keys that stand first and those that stand last; others are between them."""

    first: tuple[str, ...]
    last: tuple[str, ...] = ()

    def sort(self, items: Sequence[T], key: Callable[[T], str]) -> list[T]:
        """``items`` in the order of their keys; what has no place of its own keeps its order."""
        between = len(self.first)
        places = {each: place for place, each in enumerate(self.first)}
        places |= {each: between + 1 + place for place, each in enumerate(self.last)}
        places[_MERGE] = -1
        return sorted(items, key=lambda item: places.get(key(item), between))


@cache
def _orders() -> dict[tuple[str, ...], KeyOrder]:
    """The orders by path; ``*`` stands for any key or position."""
    return {
        (): KeyOrder(tuple(fields_of(compose(_nobody()).file))),
        ("timing",): KeyOrder(tuple(fields_of(Timing))),
        ("settings",): KeyOrder(tuple(fields_of(CoreSettings))),
        ("targets", "*"): _around(TargetBase, "type"),
        ("modules", "*"): _around(ModuleBase, "runner"),
        ("rules", "*"): _around(RuleBase, "study", _OF_ACTIONS),
        ("rules", "*", "study"): _around(ConditionBase, "complete"),
        ("rules", "*", "notify", "*"): _around(ChannelBase, "channel"),
    }


def order_at(path: Path) -> KeyOrder | None:
    """The order of the keys of the mapping at ``path``; None where it is the author's."""
    known = _orders()
    if path[:1] == ("rules",) and len(path) == 4:
        return known.get(("rules", "*", str(path[2]), "*"))
    if path[:1] == ("rules",) and len(path) == 3:
        return known.get(("rules", "*", str(path[2])))
    return known.get((str(path[0]), "*") if len(path) == 2 else tuple(map(str, path)))


def _around(model: type[BaseModel], last: str, added: tuple[str, ...] = ()) -> KeyOrder:
    """The fields of ``model``; what others add stands behind its field ``last`` and ``added``."""
    fields = list(fields_of(model))
    behind = fields.index(last) + 1
    return KeyOrder((*fields[:behind], *added), tuple(fields[behind:]))


def _nobody() -> Registry:
    """A registry without plugins: the sections of a file are the same with any."""
    return Registry(
        actions={},
        target_types={},
        channels={},
        conditions={},
        functions={},
        queues={},
        runners={},
        services={},
        tag_readers={},
        health_checks={},
        settings={},
        contributed_by={},
        plugins=(),
        errors=(),
    )
