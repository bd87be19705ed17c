"""What the rules that were considered came to, each found out when it is asked for.

Knows which rules were considered, and for which tags. Does not know why those.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Protocol

from mroute.expr import Outcome, Program


class Explainable(Protocol):
    """A rule, as far as its outcome is concerned."""

    @property
    def name(self) -> str:
        """Name of the rule in its file."""

    @property
    def condition(self) -> Program:
        """The compiled condition."""


class Outcomes(Mapping[str, Outcome]):
    """The outcomes of the first ``count`` of ``rules`` for ``tags``, by the names of the rules.

    ``positions`` has the position of each rule by its name. ``tags`` must not change any more.
    """

    def __init__(
        self,
        rules: Sequence[Explainable],
        positions: Mapping[str, int],
        count: int,
        tags: Mapping[str, str],
    ) -> None:
        self._rules = rules
        self._positions = positions
        self._count = count
        self._tags = tags
        self._known: dict[str, Outcome] = {}

    def settle(self, name: str) -> None:
        """Find out now why the rule ``name`` is true, for it may not be when somebody asks."""
        outcome = self[name]
        if outcome.value is not True:
            because = "it was true when the series was decided, and is not any more"
            self._known[name] = Outcome(True, because)

    def __getitem__(self, name: str) -> Outcome:
        known = self._known.get(name)
        if known is None:
            position = self._positions[name]
            if position >= self._count:
                raise KeyError(name)
            known = self._known[name] = self._rules[position].condition.evaluate(self._tags)
        return known

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._positions.get(name, self._count) < self._count

    def __iter__(self) -> Iterator[str]:
        return (rule.name for rule in islice(self._rules, self._count))

    def __len__(self) -> int:
        return self._count

    def __repr__(self) -> str:
        return f"<Outcomes of {self._count} rules>"
