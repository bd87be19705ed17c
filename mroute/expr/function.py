"""The descriptor of a function that rules can call.

Knows what a function declares about itself. Does not know which functions there are (builtins, and
the registry for those of plugins) or how they are called (runtime).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from mroute.expr.language import Type


@dataclass(frozen=True, slots=True)
class RuleFunction:
    """A function for conditions.

    Args:
        name: what a rule writes.
        arguments: the declared types. A text given where a number is declared arrives as a number.
        returns: the declared type of the result.
        call: the function itself. It never sees an unknown value: one unknown argument makes the
            result unknown. Where it raises, or returns None or anything but the declared type, the
            clause is unknown, and the reason names the function and its plugin.
        pure: whether equal arguments always give equal results.
        optional: how many trailing arguments may be left out.
        plugin: who contributes it; the registry fills it in. Empty for mroute's own.
    """

    name: str
    arguments: tuple[Type, ...]
    returns: Type
    call: Callable[..., Any]
    pure: bool = True
    optional: int = 0
    plugin: str = ""

    @property
    def title(self) -> str:
        """The function as messages name it."""
        by = f" of plugin '{self.plugin}'" if self.plugin else ""
        return f"function '{self.name}'{by}"


Functions: TypeAlias = Mapping[str, RuleFunction]
"""The functions that an expression may call, by name."""
