"""Where the parts of an expression begin and end in its text, the parentheses around them included.

Knows brackets, quotes and comments. Does not know what the parts mean or how they are laid out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mroute.expr.nodes import NOWHERE, Node, Place, Tree, children, walk

_PIECE = re.compile(
    r"""(?P<text>[rR]?(?:'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"))|(?P<comment>\#[^\n]*)"""
    r"""|(?P<word>[A-Za-z_@][A-Za-z0-9_@]*)|(?P<sign>\S)""",
    re.VERBOSE,
)
_BEFORE_A_GROUP = frozenset({"and", "or", "not", "in", "if", "else", "for"})
"""Words before a parenthesis that do not call it."""


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment at an offset; ``alone`` where nothing but blanks is before it on its line."""

    start: int
    text: str
    alone: bool


class Extents:
    """The extents of the nodes of one tree, and the comments of its text, in order."""

    def __init__(self, tree: Tree) -> None:
        self.comments: list[Comment] = []
        self._groups: dict[int, int] = {}
        self._before: dict[int, int] = {}
        self._after: dict[int, int] = {}
        self._known: dict[int, Place] = {}
        self._scan(tree.text)
        # A node comes after those below it, so that their extents are known by then.
        for node, _ in reversed(list(walk(tree.root))):
            self._known[id(node)] = self._measure(node)

    def of(self, node: Node) -> Place:
        """From the first character of a node to behind its last, its parentheses included."""
        return self._known[id(node)]

    def _measure(self, node: Node) -> Place:
        below = [self._known[id(child)] for child in children(node)]
        places = [place for place in (node.place, *below) if place != NOWHERE]
        if not places:
            return NOWHERE
        start, end = min(place[0] for place in places), max(place[1] for place in places)
        while True:
            opening = self._before.get(start, -1)
            closing = self._groups.get(opening, -1)
            if closing < 0 or closing != self._after.get(end, -1):
                return start, end
            start, end = opening, closing + 1

    def _scan(self, text: str) -> None:
        """Note the comments, the parentheses that group, and what is beside each piece."""
        before, ended, word = -1, 0, ""
        open_groups: list[int] = []
        for found in _PIECE.finditer(text):
            start, end, piece = found.start(), found.end(), found.group()
            if found.lastgroup == "comment":
                line = text[text.rfind("\n", 0, start) + 1 : start]
                self.comments.append(Comment(start, piece.rstrip(), not line.strip()))
                continue
            self._before[start], self._after[ended] = before, start
            if piece == "(":
                open_groups.append(-1 if word and word not in _BEFORE_A_GROUP else start)
            elif piece == ")" and open_groups:
                self._groups[open_groups.pop()] = start
            before, ended = start, end
            word = piece if found.lastgroup == "word" else ""
