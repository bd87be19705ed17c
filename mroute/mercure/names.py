"""The names of entries: mercure takes any text, mroute what can be a part of a path.

Knows how an unsafe name is made a safe one, and one of a variable. Does not know what they are of.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping

from mroute.errors import UnsafeNameError
from mroute.names import MAX_BYTES, safe_name


def safe_names(names: Iterable[str]) -> Mapping[str, str]:
    """Each of ``names`` to the one that it has in the rule file; no two become the same."""
    names = list(names)
    given = {name: name for name in names if _is_safe(name)}
    taken = set(given)
    for name in names:
        if name not in given:
            given[name] = _free(_safe(name), taken)
            taken.add(given[name])
    return {name: given[name] for name in names}


def variable_names(names: Iterable[str]) -> Mapping[str, str]:
    """Each of ``names`` as the beginning of a variable of the environment; no two are the same."""
    given: dict[str, str] = {}
    for name in names:
        letters = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
        variable = letters if letters[:1].isalpha() else f"TARGET_{letters}".rstrip("_")
        given[name] = _free(variable, set(given.values()), "_")
    return given


def _is_safe(name: str) -> bool:
    try:
        safe_name(name, "name")
    except UnsafeNameError:
        return False
    return True


def _safe(name: str) -> str:
    kept = "".join(c if _is_safe(c) or c == "." else "-" for c in name).lstrip(".")
    # Room for a number behind it.
    return kept.encode()[: MAX_BYTES - 10].decode("utf-8", "ignore") or "unnamed"


def _free(name: str, taken: Container[str], before_number: str = "-") -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}{before_number}{number}"
    return free
