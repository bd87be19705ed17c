"""A compiled condition: evaluated on tags, quickly or with its reason.

Knows which clause decided, and how the steps of an evaluation are shared among clauses. Nothing is
compiled before it is evaluated. Does not know what a clause computes (clauses), how clauses are
joined (whole), or how a sentence about one reads (outcome).
"""

from __future__ import annotations

from collections.abc import Mapping

from mroute.expr.clauses import ClauseCode, Clauses
from mroute.expr.emitter import Reader
from mroute.expr.function import Functions
from mroute.expr.language import MAX_STEPS
from mroute.expr.nodes import Node, Tree
from mroute.expr.outcome import Clause, Outcome
from mroute.expr.values import Unknown, Value
from mroute.expr.whole import Part, part_of, whole_of

_NAMED = 3
"""Clauses that one sentence names."""


class Program:
    """A compiled condition; pure, and usable from several threads at once.

    ``tree`` is what it was compiled from. Making one costs next to nothing: the whole and each of
    its clauses are compiled when they are first evaluated, clauses once for all programs that share
    them. Two threads may both compile one; either result will do. An evaluation takes no more than
    that many ``steps``.
    """

    __slots__ = ("_clauses", "_main", "_shape", "_steps", "tree")

    def __init__(self, tree: Tree, clauses: Clauses, steps: int = MAX_STEPS) -> None:
        self.tree = tree
        self._steps = steps
        self._clauses = clauses
        self._shape: _Shape | None = None
        self._main: Reader | None = None

    @property
    def functions(self) -> Functions:
        """The functions that it may call."""
        return self._clauses.functions

    @property
    def part(self) -> Part:
        """How its clauses, by their numbers, are joined."""
        return self._shaped().part

    @property
    def clause_codes(self) -> tuple[ClauseCode, ...]:
        """Its clauses in the order of the text, each once; programs may have some in common."""
        return self._shaped().clauses

    @property
    def metered(self) -> bool:
        """Whether the steps of any of its clauses are counted, so that they may run out."""
        return self._shaped().metered

    def value(self, tags: Mapping[str, str]) -> bool | None:
        """True, false, or None for unknown, for ``tags`` (keyword to text)."""
        main = self._main
        if main is None:
            main = self._main = self._shaped().whole()
        value = main(tags)
        return None if isinstance(value, Unknown) else bool(value)

    def evaluate(self, tags: Mapping[str, str]) -> Outcome:
        """The value for ``tags`` (keyword to text), and the clauses that decided it."""
        shape = self._shaped()
        known: dict[int, Value] = {}
        value, deciding = _decide(shape, shape.part, known, tags)
        named = list(dict.fromkeys(deciding))
        told = [shape.clauses[each].told(known[each], tags) for each in named[:_NAMED]]
        sentence = "; ".join(clause.sentence for clause in told)
        if len(named) > _NAMED:
            sentence += f"; and so are {len(named) - _NAMED} more clauses"
        return Outcome(value, sentence)

    def clauses(self, tags: Mapping[str, str]) -> tuple[Clause, ...]:
        """Every clause of the condition, in the order of the text, evaluated for ``tags``."""
        shape = self._shaped()
        return tuple(
            clause.told(shape.reader(number)(tags), tags)
            for number, clause in enumerate(shape.clauses)
        )

    def _shaped(self) -> _Shape:
        shape = self._shape
        if shape is None:
            shape = self._shape = _Shape(self.tree.root, self._clauses, self._steps)
        return shape


class _Shape:
    """The clauses of a condition, how they are joined, and the steps there are for each."""

    __slots__ = ("_share", "clauses", "part")

    def __init__(self, root: Node, clauses: Clauses, steps: int) -> None:
        numbers: dict[ClauseCode, int] = {}
        size = 0

        def number_of(node: Node) -> int:
            nonlocal size
            clause = clauses.of(node)
            size += clause.size
            return numbers.setdefault(clause, len(numbers))

        self.part: Part = part_of(root, number_of)
        self.clauses = tuple(numbers)
        self._share = steps // size

    @property
    def metered(self) -> bool:
        return any(self._budget(clause) is not None for clause in self.clauses)

    def reader(self, number: int) -> Reader:
        """The code of a clause by its number."""
        clause = self.clauses[number]
        return clause.reader(self._budget(clause))

    def whole(self) -> Reader:
        """The code of the whole."""
        readers = map(self.reader, range(len(self.clauses)))
        made: Reader = whole_of(self.part, len(self.clauses))(*readers)
        return made

    def _budget(self, clause: ClauseCode) -> int | None:
        """The steps for a clause that might take more than its share of them."""
        steps = self._share * clause.size
        return steps if clause.steps > steps else None


def _decide(
    shape: _Shape, part: Part, known: dict[int, Value], tags: Mapping[str, str]
) -> tuple[bool | None, list[int]]:
    """The value of ``part``, and those of its clauses that it rests on."""
    if isinstance(part, int):
        if part not in known:
            known[part] = shape.reader(part)(tags)
        value = known[part]
        return None if isinstance(value, Unknown) else value, [part]
    conjoined, below = part
    if conjoined is None:
        value, deciding = _decide(shape, below[0], known, tags)
        return None if value is None else not value, deciding
    unknown: list[int] | None = None
    all_of_them: list[int] = []
    for inner in below:
        value, deciding = _decide(shape, inner, known, tags)
        if value is not None and value is not conjoined:
            return value, deciding
        if value is None and unknown is None:
            unknown = deciding
        all_of_them += deciding
    return (conjoined, all_of_them) if unknown is None else (None, unknown)
