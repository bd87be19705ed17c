"""Checks what no model can: references between sections, expressions, what belongs together.

Knows the markers `ExpressionText` and `Reference`, wherever in a model they are. Does not know any
field by its name, except those that every rule has.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from mroute.config.absent import Absent
from mroute.config.choice import ACTION
from mroute.config.codes import Code
from mroute.config.nodes import Entry, Node, Style
from mroute.config.shapes import Shape, default_of, fields_of, walk
from mroute.config.source import Source
from mroute.config.study import study_problems
from mroute.config.words import singular
from mroute.errors import ExpressionError, Problem, Severity
from mroute.expr import Checked, Functions, Language, check, parse
from mroute.expr import Code as ExpressionCode
from mroute.expr.errors import nearest
from mroute.models import ExpressionText, Reference
from mroute.types import Progress

_ENTRIES = ("targets", "modules", "rules")
_UNFINISHED = (ExpressionCode.QUOTE, ExpressionCode.BRACKET, ExpressionCode.INCOMPLETE)
"""What an expression looks like that goes on in a comment."""

_COMMENT = re.compile(r"[ \t]+#")
_WORD = re.compile(r"\w+")


@dataclass(slots=True)
class Checks:
    """The checks of one file.

    ``conditions`` are those of its expressions, by their text; ``remembered`` are some that were
    checked before and need not be again.
    """

    source: Source
    functions: Functions
    absent: Absent
    remembered: Mapping[str, Checked] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    conditions: dict[str, Checked] = field(default_factory=dict)

    def run(self, shape: Shape, progress: Progress | None = None) -> None:
        """Check everything in the file, whose model is ``shape``."""
        rules = self.source.root.child("rules")
        total, done = len((rules.entries if rules else None) or {}), 0
        for owner, below, entry in self._entries(shape):
            for inner, node in walk(below, entry.node):
                for mark in inner.metadata:
                    self._marked(mark, node, owner)
                if inner.type is Path and isinstance(node.value, str):
                    self._path(node)
                if inner.model:
                    self._defaults(inner, node, (entry.start, entry.end), owner)
            if below.choice and below.choice.kind is ACTION:
                rule = below.chosen(entry.node)
                self.problems += study_problems(self.source, rule, entry, owner)
                done += 1
                if progress:
                    progress("checking the conditions", done, total)
        self._rules()

    def _entries(self, shape: Shape) -> Iterator[tuple[str, Shape, Entry]]:
        """Each named entry and each other section, with what it is called in a message."""
        for key, entry in (self.source.root.entries or {}).items():
            below = shape.step(key)
            items = below.items if below else None
            if key in _ENTRIES and items:
                for name, each in (entry.node.entries or {}).items():
                    yield f"{singular(key)} '{name}'", items, each
            elif below:
                yield f"'{key}'", below, entry

    def _marked(self, mark: Any, node: Node, owner: str) -> None:
        if isinstance(mark, Reference) and isinstance(node.value, str):
            self._reference(mark, node.value, (node.start, node.end), owner)
        elif isinstance(mark, ExpressionText) and isinstance(node.value, str):
            self._expression(mark, node)

    def _reference(self, mark: Reference, name: str, at: tuple[int, int], owner: str) -> None:
        section = self.source.root.child(mark.section)
        entries = (section.entries if section else None) or {}
        if name in entries:
            return
        known = list(entries)
        kind = singular(mark.section)
        hint = f"the {mark.section} are " + ", ".join(f"'{each}'" for each in known)
        if meant := nearest(name, known):
            hint = f"did you mean '{meant}'?"
        elif not known:
            hint = f"the file has no {mark.section}; add '{name}' below a key '{mark.section}'"
        message = f"unknown {kind} '{name}' in {owner}"
        self.problems.append(self.source.problem(*at, Code.UNKNOWN_REFERENCE, message, hint))

    def _path(self, node: Node) -> None:
        """What no file system takes."""
        if "\0" in node.value:
            message = "a path must not hold the character '\0'"
            self.problems.append(self.source.at_node(node, Code.VALUE, message))

    def _defaults(self, shape: Shape, node: Node, at: tuple[int, int], owner: str) -> None:
        """References that the file does not write, because they are defaults of their fields."""
        for key, mark, names in _default_references(shape.model) if shape.model else ():
            for name in () if node.child(key) else names:
                self._reference(mark, name, at, owner)

    def _expression(self, mark: ExpressionText, node: Node) -> None:
        text, language = node.value, mark.language
        if mark.when_empty and not text.strip():
            message = f"the expression is empty: {mark.when_empty}"
            hint = "write what is waited for, or choose another condition"
            at = node.start, node.end, Code.EMPTY_EXPRESSION
            self.problems.append(self.source.problem(*at, message, hint, Severity.WARNING))
            return
        try:
            if language is Language.CONDITION:
                checked = self.conditions.get(text) or self.remembered.get(text)
                self.conditions[text] = checked = checked or check(parse(text), self.functions)
            else:
                functions = {} if language is Language.COMPLETION else self.functions
                checked = check(parse(text, language), functions)
        except ExpressionError as error:
            self._tell(node, error.problems)
        else:
            self._tell(node, checked.problems)

    def _tell(self, node: Node, problems: Sequence[Problem]) -> None:
        for problem in problems:
            shown = self.source.within(node, problem)
            self.problems.append(self._better(node, shown))

    def _better(self, node: Node, problem: Problem) -> Problem:
        """With a hint that only the file can give."""
        if problem.code == ExpressionCode.UNKNOWN_FUNCTION:
            name = _WORD.match(problem.source, problem.column - 1)
            told = self.absent.origin("function", name.group()) if name else None
            if told:
                return _reworded(problem, f"{problem.message}: {told[0]}", told[1])
        cut = node.style is Style.PLAIN and _COMMENT.match(self.source.text, node.end)
        if cut and problem.code in _UNFINISHED:
            hint = "' #' begins a comment: put the whole value into quotes if it is part of it"
            return _reworded(problem, problem.message, hint)
        return problem

    def _rules(self) -> None:
        entry = self.source.root.entry("rules")
        if entry is not None and (entry.node.entries is None or entry.node.entries):
            return
        at = (entry.start, entry.end) if entry else (0, 1)
        message = "the file has no rules: every series is discarded"
        self.problems.append(
            self.source.problem(
                *at, Code.NO_RULES, message, "add a rule below 'rules'", Severity.WARNING
            )
        )


def _reworded(problem: Problem, message: str, hint: str) -> Problem:
    """The same problem in other words."""
    return replace(problem, message=message, hint=hint)


@lru_cache(maxsize=1000)
def _default_references(model: type[BaseModel]) -> tuple[tuple[str, Reference, list[str]], ...]:
    """The fields of ``model`` whose defaults refer to something, and to what."""
    found = []
    for key, below in fields_of(model).items():
        items = below.items
        metadata = (*below.metadata, *(items.metadata if items else ()))
        mark = next((each for each in metadata if isinstance(each, Reference)), None)
        default = default_of(below) if mark else None
        names = default if isinstance(default, tuple | list) else (default,)
        texts = [name for name in names if isinstance(name, str)]
        if mark and texts:
            found.append((key, mark, texts))
    return tuple(found)
