"""The clauses of conditions: what is between their ``and``, ``or`` and ``not``.

Knows that many conditions have a clause in common, and that few of all clauses are ever evaluated:
each is compiled once, when it is first asked for. Does not know its code (emitter), or how clauses
make a condition (whole).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mroute.expr import dictionary
from mroute.expr.cost import steps_of
from mroute.expr.emitter import Emitter, Reader
from mroute.expr.function import Functions
from mroute.expr.nodes import OWN, Node, Tag, children, walk
from mroute.expr.outcome import Clause
from mroute.expr.printer import print_node
from mroute.expr.values import Unknown, Value, exact_tag, series_of, tag

_MISSING = Unknown("")


class ClauseCode:
    """A clause that is compiled on demand; usable from several threads at once.

    ``node`` is what was written, ``size`` the number of its nodes.
    """

    __slots__ = ("_functions", "_readers", "_steps", "_told", "node", "size")

    def __init__(self, node: Node, functions: Functions) -> None:
        self.size = sum(1 for _ in walk(node))
        self._steps: int | None = None
        self.node = node
        self._functions = functions
        self._readers: dict[int | None, Reader] = {}
        self._told: tuple[str, tuple[tuple[str, Tag], ...]] | None = None

    @property
    def steps(self) -> int:
        """The most steps that it takes on tags of 1 KiB."""
        if self._steps is None:
            self._steps = steps_of(self.node, self._functions)
        return self._steps

    def reader(self, steps: int | None) -> Reader:
        """Its code, which takes no more than that many ``steps``; uncounted where it is None."""
        reader = self._readers.get(steps)
        if reader is None:
            # Two threads may both compile it; either result will do.
            reader = self._readers[steps] = Emitter(self._functions).clause(self.node, steps)
        return reader

    def told(self, value: Value, tags: Mapping[str, str]) -> Clause:
        """That it came to ``value`` for ``tags``, and what it saw of them."""
        if self._told is None:
            self._told = print_node(self.node), _tags_of(self.node)
        text, read = self._told
        seen = tuple([_sight(tags, keyword, looked) for keyword, looked in read])
        if isinstance(value, Unknown):
            return Clause(text, None, seen, value.reason)
        return Clause(text, value, seen)


class Clauses:
    """The clauses of all conditions that call the same ``functions``, each of them once."""

    def __init__(self, functions: Functions) -> None:
        self.functions = functions
        self._known: dict[Node, ClauseCode] = {}
        self._by_id: dict[int, ClauseCode] = {}

    def of(self, node: Node) -> ClauseCode:
        """The clause ``node``; the same object for all nodes that are equal."""
        # Conditions that were kept have their clauses in common as objects, which need no hash.
        known = self._by_id.get(id(node))
        if known is not None and known.node is node:
            return known
        known = self._known.get(node)
        if known is None:
            known = self._known.setdefault(node, ClauseCode(node, self.functions))
        self._by_id[id(known.node)] = known
        return known


def _tags_of(node: Node) -> tuple[tuple[str, Tag], ...]:
    """The tags below ``node`` in the order of the text, each once, by their DICOM keyword."""
    return tuple((dictionary.keyword_of(tag), tag) for tag in dict.fromkeys(_tags_below(node)))


def _tags_below(node: Node) -> Iterator[Tag]:
    if isinstance(node, Tag):
        yield node
    for child in children(node):
        yield from _tags_below(child)


def _sight(tags: Mapping[str, str], keyword: str, looked: Tag) -> tuple[str, str | None]:
    """What a tag is called, and its value; where it is of every series, all values that differ."""
    if looked.owner == OWN:
        return keyword, _seen(tags, keyword, looked)
    values = [_seen(each, keyword, looked) for each in series_of(tags)]
    shown = dict.fromkeys("(missing)" if each is None else each for each in values)
    return f"{keyword} of {len(values)} series", " | ".join(shown)


def _seen(tags: Mapping[str, str], keyword: str, looked: Tag) -> str | None:
    if looked.exact:
        value = exact_tag(tags, keyword, _MISSING)
    else:
        value = tag(tags, looked.name, keyword, _MISSING)
    return None if value is _MISSING else str(value)
