"""From the place that pydantic names to the place in the file.

Knows that pydantic's path has steps that are not in the file: which model was chosen, which member
of a union was tried. Does not know what is wrong there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mroute.config.nodes import Entry, Node, Path
from mroute.config.shapes import Shape
from mroute.config.words import singular

_CHOSEN_BY = {
    "rules": ("action", "with action"),
    "targets": ("type", "of type"),
    "modules": ("runner", "with runner"),
}
"""The sections of named entries: which key chooses the model, and how that reads."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the file: the value there with its key, and what may stand there.

    ``path`` leads there; ``shape`` is None where it is not known what may stand there. ``tried`` is
    the path of the last union on the way of which pydantic tried one member after the other.
    """

    root: Node
    path: Path
    node: Node
    entry: Entry | None
    shape: Shape | None
    tried: Path | None = None

    @property
    def key(self) -> tuple[int, int]:
        """Where the key is; of what has no key, where it begins."""
        if self.entry is not None:
            return self.entry.start, self.entry.end
        return self.node.start, self.node.start + 1

    @property
    def name(self) -> str:
        """What stands there, for a message."""
        if len(self.path) == 2 and self.path[0] in _CHOSEN_BY:
            return f"{singular(str(self.path[0]))} '{self.path[1]}'"
        if self.path and isinstance(self.path[-1], int):
            within = next((each for each in reversed(self.path) if isinstance(each, str)), "")
            return f"item {self.path[-1] + 1} of '{within}'"
        return f"'{self.path[-1]}'" if self.path else "the file"

    @property
    def owner(self) -> str:
        """The entry that it belongs to, for a message: ``rule 'x' with action 'route'``."""
        if len(self.path) < 2 or self.path[0] not in _CHOSEN_BY:
            return f"'{self.path[0]}'" if self.path else "the file"
        section, name = str(self.path[0]), self.path[1]
        key, phrase = _CHOSEN_BY[section]
        entry = self.root.child(section)
        node = entry.child(name) if entry else None
        chosen = node.child(key) if node else None
        by = f" {phrase} '{chosen.value}'" if chosen and isinstance(chosen.value, str) else ""
        return f"{singular(section)} '{name}'{by}"

    @property
    def described(self) -> str:
        """What stands there, and what it belongs to."""
        inner = len(self.path) > 2 or (len(self.path) == 2 and self.path[0] not in _CHOSEN_BY)
        return f"{self.name} of {self.owner}" if inner else self.owner


def locate(root: Node, shape: Shape | None, steps: Sequence[str | int]) -> Place:
    """Follow the path that pydantic names, as far as the file goes."""
    node: Node = root
    entry: Entry | None = None
    path: Path = ()
    tried: Path | None = None
    for step in steps:
        shape = _behind_optional(shape)
        if shape and shape.choice and step in shape.choice.models:
            shape = Shape(shape.choice.models[str(step)])
            continue
        below = node.child(step)
        if below is None:
            tried = path
            continue
        entry, node, path = node.entry(step), below, (*path, step)
        shape = shape.step(step) if shape else None
    return Place(root, path, node, entry, _behind_optional(shape), tried)


def _behind_optional(shape: Shape | None) -> Shape | None:
    """What is optional, in place of the union with None; its markers stay."""
    members = shape.members if shape else ()
    if shape is None or len(members) != 1:
        return shape
    return Shape(members[0].type, (*shape.metadata, *members[0].metadata), shape.field)
