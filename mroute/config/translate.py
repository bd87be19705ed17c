"""Makes problems of what pydantic found: place, what was expected, what to do.

Knows pydantic's types of errors. Does not know what pydantic does not check (check).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from mroute.config.absent import Absent
from mroute.config.codes import Code
from mroute.config.nodes import Node
from mroute.config.places import Place, locate
from mroute.config.shapes import Shape, fields_of
from mroute.config.source import Source
from mroute.config.words import ANYTHING, choices_of, expected, one_of, shown
from mroute.errors import Problem
from mroute.expr.errors import nearest

_KEY = "[key]"
"""What pydantic calls the key of a mapping."""

_NO_MAPPING = frozenset({"model_attributes_type", "model_type", "dict_type", "dataclass_type"})
_OTHER_TYPE = ("_type", "_parsing", "_parsing_size", "_from_float")
_NO_TYPES = frozenset({"union_tag_invalid", "union_tag_not_found"})
_LENGTHS = {"too_short": ("at least", "min_length"), "too_long": ("at most", "max_length")}


class Translator:
    """Translates the errors of one file, whose model is ``shape``."""

    def __init__(self, source: Source, shape: Shape, absent: Absent) -> None:
        self._source = source
        self._shape = shape
        self._absent = absent

    def problems(self, error: ValidationError) -> Iterator[Problem]:
        """A problem for each error that pydantic found, less those that only follow from others.

        Where the value of a union has errors within, it is no news that the other members of the
        union do not take it. A list of wrong items is not too short as well.
        """
        errors = error.errors(include_url=False)
        places = [self._at([step for step in each["loc"] if step != _KEY]) for each in errors]
        within = {each.tried for each in places if each.tried != each.path}
        for each, place in zip(errors, places, strict=True):
            follows = place.tried == place.path and place.tried in within
            if not follows and not _is_long_enough(each, place.node):
                yield self._problem(each)

    def _problem(self, error: ErrorDetails) -> Problem:
        steps, kind = list(error["loc"]), error["type"]
        if kind == "missing":
            return self._missing(self._at(steps[:-1]), str(steps[-1]))
        if steps and steps[-1] == _KEY:
            place = self._at(steps[:-1])
            return self._source.problem(*place.key, Code.NAME, _sentence(error), "rename it")
        place = self._at(steps)
        if kind == "extra_forbidden":
            return self._unknown_key(place, self._at(steps[:-1]))
        if kind in _NO_TYPES:
            return self._no_choice(place)
        if kind in ("literal_error", "enum"):
            return self._no_member(place)
        if kind.endswith(_OTHER_TYPE):
            return self._wrong_type(place, error)
        return self._wrong_value(place, error)

    def _at(self, steps: list[int | str]) -> Place:
        return locate(self._source.root, self._shape, steps)

    def _missing(self, place: Place, name: str) -> Problem:
        field = place.shape.step(name) if place.shape else None
        wanted = expected(field)
        message = f"{place.described} needs '{name}'"
        if wanted != ANYTHING:
            message += f": {wanted}"
        description = field.field.description if field and field.field else None
        return self._source.problem(*place.key, Code.MISSING, message, description or "")

    def _unknown_key(self, place: Place, parent: Place) -> Problem:
        name = str(place.path[-1]) if place.path else ""
        model = parent.shape.model if parent.shape else None
        known = list(fields_of(model)) if model else []
        message = f"unknown key '{name}' in {parent.described}"
        hint = "the keys are " + ", ".join(known) if known else "remove it"
        if meant := nearest(name, known):
            hint = f"did you mean '{meant}'?"
        elif parent.path == ("settings",) and (told := self._absent.origin("settings", name)):
            message, hint = f"{message}: {told[0]}", told[1]
        return self._source.problem(*place.key, Code.UNKNOWN_KEY, message, hint)

    def _no_choice(self, place: Place) -> Problem:
        choice = place.shape.choice if place.shape else None
        assert choice is not None, "only a choice has tags"
        key, names = choice.kind.key, sorted(choice.models)
        chosen = place.node.child(key)
        if chosen is None or chosen.value is None:
            message = f"{place.described} needs '{key}': {one_of(names)}"
            at = place.key if chosen is None else (chosen.start, chosen.end)
            return self._source.problem(*at, Code.MISSING, message)
        if not isinstance(chosen.value, str):
            message = f"expected {one_of(names)} for '{key}', not {shown(chosen.value)}"
            return self._source.at_node(chosen, Code.TYPE, message)
        message, hint = self._absent.explain(choice.kind.name, chosen.value, names)
        return self._source.at_node(chosen, Code.UNKNOWN_CONTRIBUTION, message, hint)

    def _no_member(self, place: Place) -> Problem:
        value = place.node.value
        message = f"expected {expected(place.shape)} for {place.name}, not {shown(value)}"
        members = choices_of(place.shape) if place.shape else ()
        choices = [each for each in members if isinstance(each, str)]
        meant = nearest(value, choices) if isinstance(value, str) else ""
        hint = f"did you mean '{meant}'?" if meant else ""
        return self._source.at_node(place.node, Code.CHOICE, message, hint)

    def _wrong_type(self, place: Place, error: ErrorDetails) -> Problem:
        wanted = "a mapping" if error["type"] in _NO_MAPPING else expected(place.shape)
        if wanted == ANYTHING:
            wanted = _own_words(error)
        message = f"expected {wanted} for {place.name}, not {shown(place.node.value)}"
        hint = _hint(wanted, place.node)
        return self._source.at_node(place.node, Code.TYPE, message, hint)

    def _wrong_value(self, place: Place, error: ErrorDetails) -> Problem:
        node, sentence = place.node, _sentence(error)
        if error["type"] in _LENGTHS:
            phrase, limit = _LENGTHS[error["type"]]
            number, given = error["ctx"][limit], error["ctx"]["actual_length"]
            plural = "" if number == 1 else "s"
            sentence = f"{place.name} needs {phrase} {number} item{plural}, and has {given}"
        elif error["msg"].startswith(("Input should ", "String should ", "URL scheme should ")):
            sentence = f"{place.name} should {error['msg'].partition(' should ')[2]}"
            sentence += f", not {shown(node.value)}"
        elif sentence.startswith("expected ") and ", not " not in sentence:
            sentence += f", for {place.name}, not {shown(node.value)}"
        return self._source.at_node(node, Code.VALUE, sentence)


def _is_long_enough(error: ErrorDetails, node: Node) -> bool:
    """Whether a list was found too short only because pydantic did not count its wrong items."""
    return (
        error["type"] == "too_short"
        and node.items is not None
        and len(node.items) >= error["ctx"]["min_length"]
    )


def _sentence(error: ErrorDetails) -> str:
    """What a validator said, without what pydantic puts in front of it."""
    cause = error.get("ctx", {}).get("error")
    message = str(cause) if cause else error["msg"]
    return message if cause else message[:1].lower() + message[1:]


def _own_words(error: ErrorDetails) -> str:
    """What pydantic says is expected, for a type of a plugin's own."""
    words = error["msg"].split(",")[0].removeprefix("Input should be ")
    return words.replace("a valid ", "a ", 1)


def _hint(wanted: str, node: Node) -> str:
    if node.value is None:
        return "write a value, or remove the key"
    is_scalar = node.entries is None and node.items is None
    if is_scalar and not isinstance(node.value, str) and wanted.startswith(_TEXTS) and node.raw:
        return f"put it into quotes: '{node.raw}'"
    if is_scalar and wanted.startswith("a list"):
        return f"write a list: [{node.raw or node.value}]"
    return ""


_TEXTS: Any = ("a text", "an expression", "the series", "the name", "a path", "a duration")
