"""Where a condition means something else in mroute than it meant in mercure.

Knows how mercure evaluates: Python, with errors that end the evaluation, and empty texts for what
an image does not have. Does not know how a condition is spelled, or what cannot be read at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from mroute.expr import Functions, Tree, check, compile_condition
from mroute.expr.dictionary import canonical, is_numeric
from mroute.expr.nodes import (
    And,
    Call,
    Choice,
    Compare,
    Literal,
    Loop,
    Method,
    Node,
    Not,
    Or,
    Tag,
    walk,
)
from mroute.expr.printer import print_node
from mroute.mercure.codes import Code
from mroute.mercure.kinds import compares, mixes
from mroute.mercure.tags import FORCE_RULE, SEVERAL

_LEGACY = re.compile(r"@([A-Za-z_][A-Za-z0-9_]*)@")


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: what it is about, and what to check."""

    code: Code
    message: str
    hint: str


def differences(tree: Tree, functions: Functions, written: frozenset[str]) -> Iterator[Difference]:
    """The differences of ``tree``; ``written`` are the tags that mercure writes for every image."""
    nodes = [node for node, _ in walk(tree.root)]
    yield from _beside_or(tree)
    yield from _empty(tree, functions, written)
    yield from _numbers(nodes, functions)
    yield from _python(nodes)
    yield from _spelling(tree, nodes)
    yield from _several(nodes)


def _beside_or(tree: Tree) -> Iterator[Difference]:
    """A missing tag ended mercure's evaluation; here what stands beside it can still decide."""
    found = dict.fromkeys(
        name
        for node, denied in _with_polarity(tree.root)
        if isinstance(node, And if denied else Or)
        for name in _names(node.operands if _strict(tree, node) else node.operands[:-1])
    )
    if found:
        be = "is" if len(found) == 1 else "are"
        yield Difference(
            Code.BESIDE_OR,
            f"where {_listed(found)} {be} missing or not the number that is asked for, mercure's "
            "evaluation ended with an error and the rule did not trigger; here the rest of the "
            "'or' decides",
            "check that the rule may trigger by the rest alone; if not, add: "
            + " and ".join(f"has({name})" for name in found),
        )


def _strict(tree: Tree, node: And | Or) -> bool:
    """Whether mercure evaluated all operands: those of | and &, and those with @X@, replaced."""
    legacy = any(tree.text[tag.place[0]] == "@" for tag in _tags([node]))
    return node.symbol or legacy


def _empty(tree: Tree, functions: Functions, written: frozenset[str]) -> Iterator[Difference]:
    """Clauses that an empty text makes true: mercure triggered where the image has no such tag."""
    for clause, denied in _with_polarity(tree.root):
        names = list(_names([clause]))
        if isinstance(clause, And | Or | Not) or not names or not written.issuperset(names):
            continue
        checked = check(Tree(clause, text=tree.text), functions)
        if checked.errors:
            continue
        outcome = compile_condition(checked).evaluate(dict.fromkeys(names, ""))
        if outcome.value is (not denied):
            shown = print_node(Not(clause)) if denied else print_node(clause)
            without = [*(f"not has({name})" for name in names), shown]
            asked = isinstance(clause, Call) and clause.name == "has"
            yield Difference(
                Code.EMPTY,
                f"for an image without {_listed(names)} mercure's receiver writes an empty text, "
                f"for which '{shown}' is true; here it is not",
                "leave the question out to let the rule trigger there"
                if asked
                else f"to let the rule trigger there, write: {' or '.join(without)}",
            )


def _numbers(nodes: Iterable[Node], functions: Functions) -> Iterator[Difference]:
    found = []
    for node in nodes:
        if isinstance(node, Compare):
            pairs = zip(node.operators, pairwise(node.operands), strict=True)
            mixed = any(compares(sign, *pair, functions) for sign, pair in pairs)
        else:
            mixed = mixes(node, functions)
        if mixed:
            found.append(print_node(node))
    if found:
        yield Difference(
            Code.NUMBER,
            f"in {_listed(dict.fromkeys(found))} a text and a number stand together: in mercure an "
            "error or never equal, here the text is read as a number",
            "check that the rule shall trigger: it did not before, or for other images",
        )


def _python(nodes: Iterable[Node]) -> Iterator[Difference]:
    hint = "check that the rule shall trigger: it did not before"
    for kind, what in ((Loop, "a comprehension"), (Choice, "'a if b else c'")):
        if any(isinstance(node, kind) for node in nodes):
            message = f"mercure refuses {what} unless MERCURE_UNSAFE_RULE_EVALUATION is set"
            yield Difference(Code.PYTHON, message, hint)
    for node in nodes:
        if isinstance(node, Call) and node.name in ("any", "all"):
            message = f"'{node.name}' took any text that is not empty for true"
            yield Difference(Code.PYTHON, message, "compare: any(x == 'a' for x in [...])")


def _spelling(tree: Tree, nodes: Iterable[Node]) -> Iterator[Difference]:
    for tag in dict.fromkeys(node for node in nodes if isinstance(node, Tag)):
        known = canonical(tag.name)
        if tag.name.lower() == FORCE_RULE.lower():
            message = f"'{tag.name}' chose the rule in mercure, whoever sent it"
            hint = "here only a trusted source forces a rule; take the condition out"
            yield Difference(Code.FORCED, message, hint)
        elif known is None and not tag.exact:
            message = f"'{tag.name}' is no tag of DICOM; it is written tags[\"{tag.name}\"]"
            hint = "check the spelling, and that something writes this tag into '.tags' files"
            yield Difference(Code.TAG_NAME, message, hint)
        elif known not in (None, tag.name) and tree.text[tag.place[0]] == "@":
            message = f"mercure did not find '@{tag.name}@', which is spelled '{known}'"
            yield Difference(Code.TAG_NAME, message, "check that the rule shall trigger")
        elif is_numeric(tag.name):
            message = f"mercure's tag lists name no tag by number as '{tag.name}' is"
            yield Difference(Code.TAG_NAME, message, "check that the rule shall trigger")
    for node in nodes:
        if isinstance(node, Literal) and isinstance(node.value, str) and _LEGACY.search(node.value):
            message = f"mercure replaced the tag within the text {print_node(node)}"
            yield Difference(Code.IN_TEXT, message, "join the parts with '+', if that was meant")


def _several(nodes: Iterable[Node]) -> Iterator[Difference]:
    found = {
        tag.name: ""
        for node in nodes
        if isinstance(node, Compare | Method)
        for tag in _tags(node.operands if isinstance(node, Compare) else [node.value])
        if canonical(tag.name) in SEVERAL
    }
    if found:
        yield Difference(
            Code.SEVERAL,
            f"mercure's receiver can give the first value of {_listed(found)} only; here all "
            "values are one text, with backslashes in between",
            "for one of the values write: 'ORIGINAL' in tags.ImageType.split('\\\\')",
        )


def _with_polarity(node: Node, denied: bool = False) -> Iterator[tuple[Node, bool]]:
    """``node`` and all operands of and, or, not in it, each with whether it stands in a 'not'."""
    yield node, denied
    if isinstance(node, Not):
        yield from _with_polarity(node.operand, not denied)
    elif isinstance(node, And | Or):
        for operand in node.operands:
            yield from _with_polarity(operand, denied)


def _tags(nodes: Iterable[Node]) -> Iterator[Tag]:
    found = [node for each in nodes for node, _ in walk(each) if isinstance(node, Tag)]
    return iter(sorted(found, key=lambda tag: tag.place))


def _names(nodes: Iterable[Node]) -> dict[str, None]:
    """The names of the tags in ``nodes`` as DICOM spells them, in the order of the text."""
    return dict.fromkeys(canonical(tag.name) or tag.name for tag in _tags(nodes))


def _listed(names: Iterable[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    return " and ".join(part for part in (", ".join(quoted[:-1]), quoted[-1]) if part)
