"""What evaluating an expression can cost at most, found without evaluating it.

Knows how large a value can get, and how often a loop can run, where no tag is longer than a bound.
Does not know what is done about an expression that could take long (emitter, meter).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mroute.expr.function import Functions
from mroute.expr.language import MAX_ITEMS, MAX_TEXT, Type
from mroute.expr.matching import size_of
from mroute.expr.meter import CHARACTERS, INSTRUCTIONS, OPERATION, PAIRS, PRODUCTS
from mroute.expr.nodes import (
    Attribute,
    Binary,
    Call,
    Choice,
    Index,
    Items,
    Literal,
    Loop,
    Method,
    Name,
    Node,
    Slice,
    Tag,
    children,
)

TAG_LENGTH: Final = 1024
"""Characters of a tag for which the bound on time is stated."""

SERIES_OF_A_STUDY: Final = 500
"""Series of a study for which the bound on time is stated."""

_TAG_STEPS = 5
"""Finding a tag that is spelled in another case takes a look at all of them."""

_NUMBER_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Bound:
    """Upper bounds of a value: steps to it, characters, items, and items of one of its items."""

    steps: int
    characters: int = 0
    items: int = 0
    nested: int = 0

    @property
    def passage(self) -> int:
        """Steps of going through the value once."""
        return self.characters // CHARACTERS + self.items


def steps_of(node: Node, functions: Functions) -> int:
    """The most steps that ``node`` can take on tags of at most `TAG_LENGTH` characters."""
    return _Estimate(functions).bound(node).steps


class _Estimate:
    def __init__(self, functions: Functions) -> None:
        self.functions = functions
        self.variables: dict[str, Bound] = {}

    def bound(self, node: Node) -> Bound:
        rule = _RULES.get(type(node))
        return rule(self, node) if rule else self._truth(node)

    def _truth(self, node: Node) -> Bound:
        """A comparison, or what joins conditions: its result is small."""
        return self._result([self.bound(child) for child in children(node)])

    def _result(
        self, parts: list[Bound], characters: int = 0, items: int = 0, nested: int = 0
    ) -> Bound:
        """The result of one operation on ``parts``."""
        found = Bound(0, min(characters, MAX_TEXT), min(items, MAX_ITEMS))
        steps = sum(part.steps + part.passage for part in parts)
        return Bound(OPERATION + steps + found.passage, found.characters, found.items, nested)

    def literal(self, node: Literal) -> Bound:
        return Bound(0, len(node.value) if isinstance(node.value, str) else _NUMBER_LENGTH)

    def tag(self, node: Tag) -> Bound:
        return Bound(_TAG_STEPS, TAG_LENGTH)

    def name(self, node: Name) -> Bound:
        # Otherwise it stands for the series of a study.
        return self.variables.get(node.name) or Bound(_TAG_STEPS, items=SERIES_OF_A_STUDY)

    def items(self, node: Items) -> Bound:
        parts = [self.bound(item) for item in node.items]
        return Bound(
            OPERATION + sum(part.steps for part in parts),
            sum(part.characters for part in parts),
            len(parts) + sum(part.items for part in parts),
            max((part.items for part in parts), default=0),
        )

    def binary(self, node: Binary) -> Bound:
        parts = [self.bound(node.left), self.bound(node.right)]
        if node.operator != "+":
            return self._result(parts, _NUMBER_LENGTH)
        characters = sum(part.characters for part in parts)
        return self._result(parts, characters, _items(parts), _nested(parts))

    def choice(self, node: Choice) -> Bound:
        test, *values = (self.bound(part) for part in (node.test, node.then, node.otherwise))
        return Bound(
            test.steps + max(value.steps for value in values) + OPERATION,
            max(value.characters for value in values),
            max(value.items for value in values),
            max(value.nested for value in values),
        )

    def part(self, node: Index | Slice) -> Bound:
        value, *bounds = (self.bound(child) for child in children(node))
        items = value.nested if isinstance(node, Index) else value.items
        return self._result([value, *bounds], value.characters, items, value.nested)

    def attribute(self, node: Attribute) -> Bound:
        value = self.bound(node.value)
        return self._result([value], value.characters, value.items)

    def call(self, node: Call) -> Bound:
        parts = [self.bound(argument) for argument in node.arguments]
        match node:
            case Call(name="matches", arguments=(_, Literal(value=str(pattern)))):
                search = size_of(pattern) * parts[0].characters // INSTRUCTIONS
                return self._result([*parts, Bound(search)], _NUMBER_LENGTH)
        if node.name in PRODUCTS:
            parts.append(_product(parts))
        characters = sum(part.characters for part in parts)
        match self.functions[node.name].returns:
            case Type.LIST:
                # Either the parts of a text, or the items of a list.
                return self._result(
                    parts, characters, characters + 1 + _items(parts), _nested(parts)
                )
            case Type.NUMBER | Type.TRUTH:
                return self._result(parts, _NUMBER_LENGTH)
        return self._result(parts, characters + _NUMBER_LENGTH, _items(parts))

    def method(self, node: Method) -> Bound:
        parts = [self.bound(child) for child in (node.value, *node.arguments)]
        text = parts[0].characters
        if "." + node.name in PRODUCTS:
            parts.append(_product(parts))
        match node.name:
            case "split" | "rsplit" | "splitlines":
                return self._result(parts, text, text + 1)
            case "replace" if len(parts) > 2 and not _shrinks(*node.arguments[:2]):
                return self._result(parts, text + (text + 1) * parts[2].characters)
            case "join" if len(parts) > 1:
                return self._result(parts, parts[1].characters + parts[1].items * text)
            case "upper" | "lower" | "casefold" | "title" | "capitalize":
                # One character can become three.
                return self._result(parts, 3 * text)
        return self._result(parts, text)

    def loop(self, node: Loop) -> Bound:
        source = self.bound(node.source)
        outer = self.variables.get(node.variable)
        self.variables[node.variable] = Bound(0, source.characters, source.nested, source.nested)
        body = sum(self.bound(part).steps for part in (*node.filters, node.body))
        if outer is not None:
            self.variables[node.variable] = outer
        return Bound(source.steps + OPERATION + source.items * (body + OPERATION))


def _nested(parts: list[Bound]) -> int:
    return max((part.nested for part in parts), default=0)


def _product(parts: list[Bound]) -> Bound:
    """What it takes to look at every character of a text for every one of another."""
    texts = [part.characters for part in parts[:2]]
    return Bound(texts[0] * texts[1] // PAIRS if len(texts) > 1 else 0)


def _items(parts: list[Bound]) -> int:
    return sum(part.items for part in parts)


def _shrinks(old: Node, new: Node) -> bool:
    """Whether replacing ``old`` by ``new`` makes no text longer, as far as is known."""
    match old, new:
        case Literal(value=str(before)), Literal(value=str(after)):
            return 0 < len(before) >= len(after)
    return False


_RULES: Mapping[type[Node], Callable[[_Estimate, Any], Bound]] = {
    Literal: _Estimate.literal,
    Tag: _Estimate.tag,
    Name: _Estimate.name,
    Items: _Estimate.items,
    Binary: _Estimate.binary,
    Choice: _Estimate.choice,
    Index: _Estimate.part,
    Slice: _Estimate.part,
    Attribute: _Estimate.attribute,
    Call: _Estimate.call,
    Method: _Estimate.method,
    Loop: _Estimate.loop,
}
