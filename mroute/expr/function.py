"""The descriptor of a function that rules can call.

Knows what a function declares about itself. Does not know which functions there are (builtins, and
the registry for those of plugins) or how they are called (runtime).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from mroute.expr.language import Type
from mroute.expr.record import Kind, Record


@dataclass(frozen=True, slots=True)
class RuleFunction:
    """A function for conditions.

    Args:
        name: what a rule writes.
        arguments: the declared types. A text given where a number is declared arrives as a number.
        returns: the declared type of the result.
        call: the function itself. It never sees an unknown value: one unknown argument makes the
            result unknown. Where it raises, or returns None or anything but the declared type, the
            clause is unknown, and the reason names the function and its plugin. For a record it
            returns a mapping from the names of the parts; a part that is None or not there is
            unknown.
        pure: whether equal arguments always give equal results.
        optional: how many trailing arguments may be left out.
        plugin: who contributes it; the registry fills it in. Empty for mroute's own.

    Raises `TypeError` for types that are none.
    """

    name: str
    arguments: tuple[Type, ...]
    returns: Kind
    call: Callable[..., Any]
    pure: bool = True
    optional: int = 0
    plugin: str = ""

    def __post_init__(self) -> None:
        for kind in self.arguments:
            if not isinstance(kind, Type):
                raise TypeError(f"function '{self.name}': an argument's type is a Type")
        if not isinstance(self.returns, Type | Record):
            raise TypeError(f"function '{self.name}': the result's type is a Type or a Record")

    @property
    def title(self) -> str:
        """The function as messages name it."""
        by = f" of plugin '{self.plugin}'" if self.plugin else ""
        return f"function '{self.name}'{by}"


Functions: TypeAlias = Mapping[str, RuleFunction]
"""The functions that an expression may call, by name."""


def makers(functions: Functions) -> list[tuple[str, Record]]:
    """Those of ``functions`` that make a record of one text: the name of each, and its record."""
    return [
        (name, function.returns)
        for name, function in functions.items()
        if isinstance(function.returns, Record) and function.arguments == (Type.TEXT,)
    ]
