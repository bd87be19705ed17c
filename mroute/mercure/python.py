"""What rules take from Python that the rule language has not, and what to write instead.

Knows Python's syntax as a tree; nothing of it is ever evaluated. Does not know tags or what a rule
means.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator

_INSTEAD: dict[type[ast.AST], str] = {
    ast.Set: "write a list in square brackets instead of a set in braces",
    ast.Dict: "write a list, or several conditions, instead of a dictionary",
    ast.JoinedStr: "join texts with '+' instead of f'...'",
    ast.Lambda: "write any(... for x in [...]) instead of a lambda",
    ast.Pow: "multiply instead of '**'",
    ast.ListComp: "a comprehension is possible in any(...) and all(...) only",
    ast.SetComp: "write any(... for x in [...]) or all(...) instead of a comprehension",
    ast.DictComp: "write any(... for x in [...]) or all(...) instead of a comprehension",
    ast.Is: "ask has(X) whether a tag is there, or compare with '=='",
    ast.IsNot: "ask has(X) whether a tag is there, or compare with '!='",
    ast.Assign: "compare with '==', not '='",
    ast.keyword: "give arguments in their order, without names",
    ast.Starred: "write the items out instead of '*'",
    ast.NamedExpr: "nothing can be assigned; write the value twice",
    ast.Import: "nothing is imported; functions come from plugins",
}

_FUNCTIONS = {
    "bool": "bool(...) is not needed: compare, or ask 'not empty(X)'",
    "range": "compare with '<=' instead of range(...): 1 <= tags.SeriesNumber < 5",
    "list": "write a list in square brackets instead of list(...)",
    "tuple": "write a list in square brackets instead of tuple(...)",
    "set": "write a list in square brackets instead of set(...)",
    "frozenset": "write a list in square brackets instead of frozenset(...)",
    "filter": "write any(... for x in [...] if ...) instead of filter(...)",
    "map": "write any(... for x in [...]) instead of map(...)",
    "pow": "multiply instead of pow(...)",
    "sqrt": "compare with the square instead of sqrt(...)",
    "floor": "write int(...) instead of floor(...), where nothing is negative",
    "trunc": "write int(...) instead of trunc(...)",
    "fabs": "write abs(...) instead of fabs(...)",
    "format": "join texts with '+' instead of format(...)",
    "repr": "write str(...) instead of repr(...)",
}

_LEGACY = re.compile(r"@([A-Za-z_][A-Za-z0-9_]*)@")

_LONGEST = 32_768
"""Characters of the longest text that is looked at; the language takes no longer one anyway."""


def advice(text: str) -> list[str]:
    """What to write instead of each thing in ``text`` that only Python has, each said once."""
    return list(dict.fromkeys(_advice(text)))


def _advice(text: str) -> Iterator[str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about escapes in other people's texts
            text = _LEGACY.sub(r"tags.\1", text[: _LONGEST + 1]).strip()
            tree = ast.parse(text) if len(text) <= _LONGEST else ast.Module([], [])
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    # A comprehension that the language takes is no mistake.
    allowed = {
        id(node.args[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and node.args and _name(node) in ("any", "all")
    }
    for node in ast.walk(tree):
        if type(node) in _INSTEAD and id(node) not in allowed:
            yield _INSTEAD[type(node)]
        elif isinstance(node, ast.Call) and _name(node) in _FUNCTIONS:
            yield _FUNCTIONS[_name(node)]
        elif isinstance(node, ast.Call) and _name(node).startswith("re."):
            yield "use 'in', .startswith(...) or .endswith(...); mercure has no 're' either"
        elif isinstance(node, ast.Call | ast.Attribute) and _name(node) == "tags.get":
            yield "write tags.X: where it is missing, the value is unknown"


def _name(node: ast.Call | ast.Attribute) -> str:
    """What is called, as it is written: ``any``, ``re.search``."""
    called = node.func if isinstance(node, ast.Call) else node
    if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
        return f"{called.value.id}.{called.attr}"
    return called.id if isinstance(called, ast.Name) else ""
