"""What a rule says about studies, checked together.

Knows that acting on studies and a section that says when they are complete need each other, and
which keys of that section belong to the outermost condition. Does not know any condition.
"""

from __future__ import annotations

from collections.abc import Iterator

from mroute.config.choice import CONDITION
from mroute.config.codes import Code
from mroute.config.nodes import Entry, Node
from mroute.config.shapes import Shape, default_of, fields_of, walk
from mroute.config.source import Source
from mroute.errors import Problem
from mroute.models import ConditionBase, Trigger

_OUTERMOST = fields_of(ConditionBase).keys() - {CONDITION.key}
"""What is asked of a study as a whole, however many conditions its completion is made of."""


def study_problems(source: Source, shape: Shape, entry: Entry, owner: str) -> Iterator[Problem]:
    """The problems of a rule, the ``entry`` of model ``shape``, called ``owner`` in a message."""
    fields = fields_of(shape.model) if shape.model else {}
    on, study = entry.node.child("on"), entry.node.child("study")
    trigger = on.value if on else default_of(fields.get("on"))
    has_study = study.value if study else default_of(fields.get("study"))
    if trigger == Trigger.STUDY and has_study is None:
        at = (on.start, on.end) if on else (entry.start, entry.end)
        message = f"{owner} has 'on: study', and no 'study' that says when it is complete"
        hint = "add for instance: study: {complete: timeout}"
        yield source.problem(*at, Code.STUDY_MISSING, message, hint)
    elif trigger == Trigger.SERIES and study is not None and study.value is not None:
        key = entry.node.entry("study")
        assert key is not None
        message = f"{owner} has 'study', but acts on each series"
        yield source.problem(key.start, key.end, Code.STUDY_UNUSED, message, "add 'on: study'")
    if study is not None and "study" in fields:
        yield from _nested(source, fields["study"], study)


def _nested(source: Source, shape: Shape, study: Node) -> Iterator[Problem]:
    """Keys of the outermost condition in those that it is made of."""
    for below, node in walk(shape, study):
        if node is study or below.choice is None or below.choice.kind is not CONDITION:
            continue
        for key in sorted(_OUTERMOST & (node.entries or {}).keys()):
            at = node.entry(key)
            assert at is not None
            message = f"'{key}' is in a condition that another one is made of"
            hint = f"move '{key}' out, beside the outermost '{CONDITION.key}'"
            yield source.problem(at.start, at.end, Code.NESTED_CONDITION, message, hint)
