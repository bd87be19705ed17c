"""What the checker says about a study: its series, loops over them, and tags of one of them.

Knows what can be asked about the series of a study. Does not know what is asked about one series.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mroute.expr.errors import Code, short
from mroute.expr.language import Type
from mroute.expr.nodes import SERIES, Call, Loop, Name, Tag
from mroute.expr.record import Kind

if TYPE_CHECKING:
    from mroute.expr.checker import Checker

COUNT = "count"
"""Asks how many series there are for which something is true."""

_QUESTIONS = ("any", "all", COUNT)


def is_number_of_series(node: Call) -> bool:
    """Whether it is ``len(series)``."""
    match node:
        case Call(name="len", arguments=(Name(name=name),)):
            return name == SERIES
    return False


def loop(checker: Checker, node: Loop) -> Kind:
    """Check a loop over the series of a study, and give its type."""
    if not checker.over_a_study:
        checker.type_of(node.source)
        return Type.ANY
    if node.name not in _QUESTIONS:
        where = f"'{node.name}'" if node.name else "a list"
        message = f"'for' over the series is possible in any, all and count, not in {where}"
        hint = "write any(s.Modality == 'CT' for s in series)"
        checker.report(node.place, Code.LOOP, message, hint)
        return Type.ANY
    if node.variable in ("tags", SERIES) or node.variable in checker.functions:
        message = f"'{node.variable}' has a meaning already"
        checker.report(node.place, Code.LOOP, message, "choose another name, such as s")
    if checker.owner != "tags":
        message = "a loop over the series is within another one"
        hint = "ask for the one and for the other, and join them with 'and'"
        checker.report(node.place, Code.LOOP, message, hint)
        return Type.ANY
    outer, checker.variables = checker.variables, {}
    checker.owner = node.variable
    for condition in (*node.filters, node.body):
        checker.condition(condition, node.name)
    checker.owner, checker.variables = "tags", outer
    return Type.NUMBER if node.name == COUNT else Type.TRUTH


def tag_of_another(checker: Checker, node: Tag) -> None:
    """Report a tag that is not of the series that is looked at."""
    message = f"'{node.owner}.{short(node.name)}' is not of the series that is looked at here"
    hint = f"write {checker.owner}.{short(node.name)}"
    checker.report(node.place, Code.TAG_FORM, message, hint)


def name(checker: Checker, node: Name) -> bool:
    """Report a bare word that stands for a series, or for all of them; false for any other."""
    if node.name == SERIES and not checker.over_a_study:
        message = f"unknown name '{SERIES}'"
        hint = "the series of a study are known in 'when' of a section 'study' only"
        checker.report(node.place, Code.UNKNOWN_NAME, message, hint)
    elif node.name == SERIES:
        message = f"'{SERIES}' alone is no value"
        hint = "ask any(s.Modality == 'CT' for s in series), or how many: len(series)"
        checker.report(node.place, Code.TAG_FORM, message, hint)
    elif node.name == checker.owner:
        message = f"'{node.name}' alone is no value"
        hint = f'name one tag: {node.name}.Modality or {node.name}["Modality"]'
        checker.report(node.place, Code.TAG_FORM, message, hint)
    else:
        return False
    return True
