"""What the checker says about names: tags, variables, functions, methods and attributes.

Knows which mistakes people make with names and what they meant. Does not know what operators take.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mroute.errors import Severity
from mroute.expr import dictionary, studies
from mroute.expr.errors import Code, nearest, short
from mroute.expr.foreign import WORDS
from mroute.expr.function import makers
from mroute.expr.functions import METHODS
from mroute.expr.language import Type
from mroute.expr.nodes import Attribute, Call, Method, Name, Tag
from mroute.expr.printer import print_node
from mroute.expr.record import Kind, Record

if TYPE_CHECKING:
    from mroute.expr.checker import Checker

_METHOD_HINTS = {
    "len": "write len(value)",
    "format": "join texts with '+'",
    "match": "write matches(value, 'pattern')",
    "contains": "write 'T2' in tags.SeriesDescription",
    "includes": "write 'T2' in tags.SeriesDescription",
    "__contains__": "write 'T2' in tags.SeriesDescription",
    "equals": "compare with '=='",
    "tolower": "write .lower()",
    "toupper": "write .upper()",
}

_TAGS_HINTS = {
    "get": "write tags.Modality; where the tag is missing, the value is unknown",
    "keys": "ask has(Modality) whether a tag is there",
    "has": "ask has(Modality) whether a tag is there",
}

_SUGGESTIONS = 20
"""Problems of one expression after which no tag is suggested any more."""


def tag(checker: Checker, node: Tag) -> None:
    """Check that there is such a tag: an error, or a warning in the form that takes any name."""
    name = node.name
    known = dictionary.canonical(name)
    if node.exact:
        if known is None and not dictionary.is_numeric(name):
            _unusual(checker, node)
        elif known is not None and known != name:
            owner = node.owner
            message = f"{owner}[...] is exact, and DICOM spells this tag '{known}'"
            hint = f'write {owner}["{known}"], or {owner}.{known} for any case'
            checker.report(node.place, Code.UNUSUAL_TAG, message, hint, Severity.WARNING)
    elif known is None:
        if name.startswith("_"):
            message = f"'{short(name)}' is not a tag"
            hint = f"after '{node.owner}.' comes a DICOM keyword such as Modality"
            checker.report(node.place, Code.UNKNOWN_TAG, message, hint)
            return
        meant = _suggestion(checker, name)
        message = f"unknown tag '{short(name)}'"
        if meant:
            message += f", did you mean '{meant}'?"
        hint = f"a tag that is not in the DICOM dictionary is written {node.owner}"
        hint += f'["{short(name)}"]'
        checker.report(node.place, Code.UNKNOWN_TAG, message, hint)


def name(checker: Checker, node: Name) -> Kind:
    """Check a bare word and give its type: a variable, or a mistake."""
    kind = checker.variables.get(node.name)
    if kind is not None:
        return kind
    if studies.name(checker, node):
        return Type.ANY
    message = f"unknown name '{short(node.name)}'"
    known = dictionary.canonical(node.name)
    meant = nearest(node.name, [*checker.variables, "tags", "True", "False"])
    if node.name in WORDS:
        hint = WORDS[node.name]
    elif known is not None:
        hint = f"write tags.{known} for the tag, or put quotes around a text"
    elif node.name in checker.functions:
        hint = f"call it: {node.name}(...)"
    elif meant:
        hint = f"did you mean '{meant}'?"
    else:
        hint = f"put quotes around a text: '{short(node.name)}'; tags are written tags.Modality"
    checker.report(node.place, Code.UNKNOWN_NAME, message, hint)
    return Type.ANY


def attribute(checker: Checker, node: Attribute) -> Kind:
    """Check ``value.name`` and give its type: a part of a record, or a mistake."""
    if isinstance(node.value, Name) and node.value.name not in checker.variables:
        owner = node.value.name
        meant = dictionary.canonical(node.name)
        if meant is not None:
            message = f"unknown name '{short(owner)}'"
            checker.report(node.place, Code.UNKNOWN_NAME, message, f"write tags.{meant}")
            return Type.ANY
    kind = checker.type_of(node.value)
    if isinstance(kind, Record):
        if node.name not in kind.parts:
            _unknown_part(checker, node, kind)
        return kind.parts.get(node.name, Type.ANY)
    if kind is Type.ANY and node.name in _parts_of_all(checker):
        return Type.ANY
    message = f"'.{short(node.name)}' is neither a tag nor a method of texts"
    hint = "only tags.X and methods such as .lower() follow a point"
    if node.name in METHODS:
        message = f"'.{node.name}' is a method and has to be called"
        hint = f"write .{node.name}()"
    elif kind is Type.TEXT:
        for maker, record in makers(checker.functions):
            if node.name in record.parts:
                hint = f"write {maker}({print_node(node.value)}).{node.name}"
    checker.report(node.place, Code.ATTRIBUTE, message, hint)
    return Type.ANY


def _unknown_part(checker: Checker, node: Attribute, record: Record) -> None:
    message = f"a {record} has no part '.{short(node.name)}'"
    meant = nearest(node.name, list(record.parts))
    if meant:
        message += f", did you mean '.{meant}'?"
    checker.report(node.place, Code.PART, message, _parts_of(record))


def _parts_of_all(checker: Checker) -> set[str]:
    """The parts of all records that functions give: what a value of any type may have."""
    records = {f.returns for f in checker.functions.values() if isinstance(f.returns, Record)}
    return {name for record in records for name in record.parts}


def unknown_function(checker: Checker, node: Call) -> None:
    """Report a function that nobody contributes."""
    message = f"unknown function '{short(node.name)}'"
    meant = nearest(node.name, list(checker.functions))
    hint = "the functions are " + ", ".join(sorted(checker.functions))
    if node.name in METHODS:
        hint = f"it is a method of texts: write value.{node.name}(...)"
    elif meant:
        message += f", did you mean '{meant}'?"
    checker.report(node.place, Code.UNKNOWN_FUNCTION, message, hint)


def unknown_method(checker: Checker, node: Method) -> None:
    """Report a method that texts do not have."""
    message = f"unknown method '.{short(node.name)}'"
    meant = nearest(node.name, list(METHODS))
    hint = "the methods of texts are " + ", ".join(sorted(METHODS))
    if node.name.lower() in _METHOD_HINTS:
        hint = _METHOD_HINTS[node.name.lower()]
    elif node.name in checker.functions:
        hint = f"it is a function: write {node.name}(value)"
    elif meant:
        message += f", did you mean '.{meant}'?"
    checker.report(node.name_place, Code.UNKNOWN_METHOD, message, hint)


def method_of_tags(checker: Checker, node: Method) -> None:
    """Report ``tags.get(...)`` and the like."""
    known, owner = dictionary.canonical(node.name), checker.owner
    hint = _TAGS_HINTS.get(node.name.lower(), "name one tag: tags.Modality")
    if known is not None:
        hint = f"a tag is not called: write tags.{known}"
    hint = hint.replace("tags.", f"{owner}.").replace("has(M", f"has({owner}.M")
    hint = hint.replace("has(tags.", "has(")
    message = f"'{owner}' has no method '.{short(node.name)}'"
    checker.report(node.name_place, Code.TAG_FORM, message, hint)


def method_of_record(checker: Checker, node: Method, record: Record) -> None:
    """Report ``.name(...)`` on a record, which has no methods."""
    message = f"'.{short(node.name)}' is a method of texts, and this is a {record}"
    hint = _parts_of(record)
    if node.name in record.parts:
        message = f"'.{node.name}' is a part of a {record} and is not called"
        hint = f"write .{node.name}"
    elif node.name not in METHODS:
        message = f"unknown method '.{short(node.name)}'"
    checker.report(node.name_place, Code.UNKNOWN_METHOD, message, hint)


def method_of_other(checker: Checker, node: Method, kind: Kind) -> None:
    """Report a method of texts on something else."""
    message = f"'.{node.name}' is a method of texts, and this is a {kind}"
    hint = "make it a text first: str(value)" if kind is Type.NUMBER else ""
    checker.report(node.place, Code.UNKNOWN_METHOD, message, hint)


def _suggestion(checker: Checker, name: str) -> str:
    """The tag that was meant; only for the first few, as looking for one takes 20 ms."""
    return dictionary.suggestion(name) if len(checker.problems) < _SUGGESTIONS else ""


def _parts_of(record: Record) -> str:
    """The parts of ``record``, as a hint lists them."""
    return f"the parts of a {record} are {', '.join(record.parts)}"


def _unusual(checker: Checker, node: Tag) -> None:
    meant = _suggestion(checker, node.name)
    message = f"tag '{short(node.name)}' is not in the DICOM dictionary"
    hint = "it is used as it is written; where it is missing, the value is unknown"
    if meant:
        message += f", did you mean '{meant}'?"
    checker.report(node.place, Code.UNUSUAL_TAG, message, hint, Severity.WARNING)
