"""What may stand where: the types of the composed model, one step at a time.

Knows how to step through annotations of pydantic models: fields, lists, mappings, choices, unions.
Does not know any model.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from mroute.config.choice import Choice
from mroute.config.nodes import Node

_SEQUENCES = (list, tuple, set, frozenset, Sequence)
_MAPPINGS = (dict, Mapping)


@dataclass(frozen=True, eq=False)
class Shape:
    """What may stand at one place: a type, and the metadata of its annotation.

    It is met at every entry of a file: what follows from it is found once.
    """

    type: Any
    metadata: tuple[Any, ...] = ()
    field: FieldInfo | None = None

    @cached_property
    def choice(self) -> Choice | None:
        """The choice of models that is made here, if any."""
        return next((each for each in self.metadata if isinstance(each, Choice)), None)

    @cached_property
    def model(self) -> type[BaseModel] | None:
        """The model that is expected here, if it is one."""
        found = self.type
        return found if isinstance(found, type) and issubclass(found, BaseModel) else None

    @cached_property
    def members(self) -> tuple[Shape, ...]:
        """The alternatives where it is a union, without None."""
        if get_origin(self.type) not in (Union, types.UnionType):
            return ()
        return tuple(shape_of(each) for each in get_args(self.type) if each is not type(None))

    @cached_property
    def items(self) -> Shape | None:
        """What the items of the list may be, or the values of the mapping."""
        origin, arguments = get_origin(self.type), get_args(self.type)
        if origin is tuple and len(arguments) == 2 and arguments[1] is not Ellipsis:
            return None
        if origin in _SEQUENCES and arguments:
            return shape_of(arguments[0])
        return shape_of(arguments[1]) if origin in _MAPPINGS and len(arguments) == 2 else None

    @cached_property
    def alternatives(self) -> tuple[Shape, ...]:
        """`members`, with what the annotation of the whole says of each."""
        return tuple(Shape(each.type, (*self.metadata, *each.metadata)) for each in self.members)

    def chosen(self, node: Node) -> Shape:
        """The model that the content chooses here; the base of all where it chooses none."""
        choice = self.choice
        key = node.child(choice.kind.key) if choice else None
        if choice and key:
            return _plain(choice.models.get(str(key.value), self.type))
        return _plain(self.type)

    def step(self, element: str | int) -> Shape | None:
        """What may stand below, at a key or position; None where that is not known."""
        if model := self.model:
            return fields_of(model).get(str(element))
        for member in self.members:
            if below := member.step(element):
                return below
        return self.items if isinstance(element, int) == self.is_list else None

    @cached_property
    def is_list(self) -> bool:
        """Whether a list is expected."""
        return get_origin(self.type) in _SEQUENCES


def shape_of(annotation: Any, field: FieldInfo | None = None) -> Shape:
    """The shape of an annotation; the metadata of ``field`` belongs to it."""
    metadata: tuple[Any, ...] = tuple(field.metadata) if field else ()
    while get_origin(annotation) is Annotated:
        metadata = (*annotation.__metadata__, *metadata)
        annotation = annotation.__origin__
    return Shape(annotation, metadata, field)


@lru_cache(maxsize=1000)
def _plain(model: Any) -> Shape:
    """The shape of a model without metadata."""
    return Shape(model)


@lru_cache(maxsize=1000)
def fields_of(model: type[BaseModel]) -> Mapping[str, Shape]:
    """The fields of a model by the key that they have in the file."""
    return {
        field.alias or name: shape_of(field.annotation, field)
        for name, field in model.model_fields.items()
    }


def walk(shape: Shape, node: Node) -> Iterator[tuple[Shape, Node]]:
    """Everything in ``node`` with its shape, as far as it fits; what does not is left out."""
    yield shape, node
    if shape.choice:
        yield from walk(shape.chosen(node), node)
        return
    if model := shape.model:
        for key, field in fields_of(model).items():
            if below := node.child(key):
                yield from walk(field, below)
        return
    for alternative in shape.alternatives:
        # The metadata of an optional field belongs to what is optional.
        yield from walk(alternative, node)
    items = shape.items
    if items is not None:
        entries = () if shape.is_list else (node.entries or {}).values()
        below_all = (node.items or ()) if shape.is_list else [entry.node for entry in entries]
        for below in below_all:
            yield from walk(items, below)


def default_of(shape: Shape | None) -> Any:
    """The default of an optional field; None where it is made anew each time."""
    default = shape.field.get_default() if shape and shape.field else None
    return None if default is PydanticUndefined else default
