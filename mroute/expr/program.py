"""A compiled condition: evaluated on tags, quickly or with its reason.

Knows which clause decided. Does not know what a clause computes (compiler) or how a sentence about
it reads (outcome).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from mroute.expr.nodes import Tag, Tree
from mroute.expr.outcome import Clause, Outcome
from mroute.expr.values import Unknown, Value, exact_tag, tag

Part: TypeAlias = "int | tuple[bool | None, tuple[Part, ...]]"
"""A clause by its number, or what joins parts: true for and, false for or, None for not."""

_NAMED = 3
"""Clauses that one sentence names."""

_MISSING = Unknown("")


@dataclass(frozen=True, slots=True)
class ClauseCode:
    """A clause: its canonical spelling, the tags it looks at by their keyword, and its code."""

    text: str
    tags: tuple[tuple[str, Tag], ...]
    call: Callable[[Mapping[str, str]], Value]

    def evaluate(self, tags: Mapping[str, str]) -> Clause:
        """What the clause comes to for ``tags``, and what it saw of them."""
        value = self.call(tags)
        seen = tuple((name, _seen(tags, name, looked)) for name, looked in self.tags)
        if isinstance(value, Unknown):
            return Clause(self.text, None, seen, value.reason)
        return Clause(self.text, value, seen)


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A compiled condition; pure, and usable from several threads at once.

    ``tree`` is what it was compiled from. The other fields are of no use outside this package.
    """

    tree: Tree
    main: Callable[[Mapping[str, str]], Value]
    part: Part
    clause_codes: tuple[ClauseCode, ...]

    def value(self, tags: Mapping[str, str]) -> bool | None:
        """True, false, or None for unknown, for ``tags`` (keyword to text)."""
        value = self.main(tags)
        return None if isinstance(value, Unknown) else bool(value)

    def evaluate(self, tags: Mapping[str, str]) -> Outcome:
        """The value for ``tags`` (keyword to text), and the clauses that decided it."""
        value, deciding = self._decide(self.part, {}, tags)
        named = dict.fromkeys(clause.sentence for clause in deciding)
        sentence = "; ".join(list(named)[:_NAMED])
        if len(named) > _NAMED:
            sentence += f"; and so are {len(named) - _NAMED} more clauses"
        return Outcome(value, sentence)

    def clauses(self, tags: Mapping[str, str]) -> tuple[Clause, ...]:
        """Every clause of the condition, in the order of the text, evaluated for ``tags``."""
        return tuple(code.evaluate(tags) for code in self.clause_codes)

    def _decide(
        self, part: Part, known: dict[int, Clause], tags: Mapping[str, str]
    ) -> tuple[bool | None, list[Clause]]:
        """The value of ``part``, and those of its clauses that it rests on."""
        if isinstance(part, int):
            clause = known.get(part)
            if clause is None:
                clause = known[part] = self.clause_codes[part].evaluate(tags)
            return clause.value, [clause]
        conjoined, below = part
        if conjoined is None:
            value, deciding = self._decide(below[0], known, tags)
            return (None if value is None else not value), deciding
        unknown: list[Clause] | None = None
        all_of_them: list[Clause] = []
        for inner in below:
            value, deciding = self._decide(inner, known, tags)
            if value is not None and value is not conjoined:
                return value, deciding
            if value is None and unknown is None:
                unknown = deciding
            all_of_them += deciding
        return (conjoined, all_of_them) if unknown is None else (None, unknown)


def _seen(tags: Mapping[str, str], keyword: str, looked: Tag) -> str | None:
    if looked.exact:
        value = exact_tag(tags, keyword, _MISSING)
    else:
        value = tag(tags, looked.name, keyword, _MISSING)
    return None if value is _MISSING else str(value)
