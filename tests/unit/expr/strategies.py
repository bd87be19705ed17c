"""Random expressions that pass the check, as trees, and random tags for them.

Every node of the grammar comes up, and every operator, function and method. Knows which types the
checker wants where. Does not know what anything means.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from random import Random
from typing import TypeAlias

from hypothesis import strategies as st

from mroute.expr import BUILTINS, Record, RuleFunction, Type
from mroute.expr.nodes import (
    And,
    Attribute,
    Binary,
    Call,
    Choice,
    Compare,
    Index,
    Items,
    Literal,
    Loop,
    Method,
    Name,
    Node,
    Not,
    Or,
    Slice,
    Tag,
    Unary,
    walk,
)

PAIR = Record("pair", {"left": Type.TEXT, "right": Type.TEXT, "size": Type.NUMBER}, ordered=True)


def pair(text: str) -> dict[str, str | int | None]:
    """The parts of ``text`` around its first point: none on the right where there is no point."""
    if not text.strip():
        raise ValueError("nothing to part")
    left, point, right = text.partition(".")
    return {"left": left, "right": right if point else None, "size": len(text)}


CALLED = {**BUILTINS, "pair": RuleFunction("pair", (Type.TEXT,), PAIR, pair)}
"""What random expressions call."""

Nodes: TypeAlias = st.SearchStrategy[Node]
Scope: TypeAlias = tuple[tuple[str, str], ...]
"""The variables of the loops around, each with the kind of its values."""

KEYWORDS = ("Modality", "SliceThickness", "SeriesDescription", "PixelSpacing", "SeriesNumber")
SPELLINGS = (*KEYWORDS, *map(str.lower, KEYWORDS), *map(str.upper, KEYWORDS))

ODD = (
    "", " ", "\0", "\t\r\n", "nan", "inf", "-Infinity", "1_000", "0x10", "1e3", "1e400", "+2",
    "-.5", " 1.5", "2.0 ", "2\0", "\u00a02", "\uff12", "\u0663", "9" * 30, "0" * 399 + "2",
    "0" * 400 + "2", "\udcb1", "a\udcb1b", "T2\udcff", "\ud83d", "e\u0301", "\xe9", "\u202eRM",
    "x" * 1_500, "1\\2", "0.5\\x", "\\", "\\\\", "a\\\\b", "T2 SAG", "MR",
    "CT", "True", "None", "[1]",
)  # fmt: skip
"""Values that tags have, and that somebody may stumble over."""

VALUES = st.one_of(
    st.sampled_from(["MR", "CT", "2", "2.0", "1.5", "-3", "1\\2", "T2 SAG", "T2", "t2", " "]),
    st.sampled_from([value for value in ODD if len(value) < 10]),
    st.text(alphabet=st.sampled_from("aT2 .\\-\udcb1\xe9\0"), max_size=5),
)
TAGS = st.dictionaries(st.sampled_from(SPELLINGS), VALUES)

_TAG: Nodes = st.builds(
    Tag, st.sampled_from([*KEYWORDS, "modality", "SLICETHICKNESS"])
) | st.builds(Tag, st.sampled_from(KEYWORDS), st.just(True))
_TEXT: Nodes = st.builds(
    Literal, st.one_of(VALUES, VALUES, st.text(max_size=4), st.sampled_from(["'", "\"'\\n"]))
)
_NUMBER: Nodes = st.builds(
    Literal, st.one_of(st.integers(0, 5), st.sampled_from([0.5, 1.5, 2.0, 30, 1e300, 10**29]))
)
_DIGITS: Nodes = st.builds(Literal, st.integers(0, 3))
_NUMERIC: Nodes = st.builds(Literal, st.sampled_from(["1", "2.5", " 3 ", "-1", "1e2"]))
_SIGN = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
_ORDER = _SIGN.map(lambda sign: (sign,))
_EQUAL = st.sampled_from([("==",), ("!=",)])
_MEMBER = st.sampled_from([("in",), ("not in",)])
_SEPARATOR: Nodes = st.builds(Literal, st.sampled_from(["\\", "\\", " ", ",", "2", ""]))

_PLAIN = ("lower", "upper", "strip", "lstrip", "rstrip", "title", "casefold", "capitalize")
_STRIPPING = ("strip", "lstrip", "rstrip", "removeprefix", "removesuffix")
_IS = (
    "isdigit", "isnumeric", "isdecimal", "isalpha", "isalnum", "isspace", "islower", "isupper",
)  # fmt: skip


def _choice(inner: Nodes, depth: int, scope: Scope) -> Nodes:
    return st.builds(Choice, inner, conditions(depth - 1, scope), inner)


def _named(scope: Scope, *kinds: str) -> list[Nodes]:
    """The variables that hold values of the ``kinds``."""
    fitting = [name for name, kind in scope if kind in kinds]
    return [st.builds(Name, st.sampled_from(fitting))] if fitting else []


def _pair(left: Nodes, right: Nodes) -> st.SearchStrategy[tuple[Node, Node]]:
    return st.tuples(left, right)


def _parted(text: Nodes) -> Nodes:
    """Nodes of the type of the record above."""
    return st.builds(lambda t: Call("pair", (t,)), text)


@cache
def conditions(depth: int = 4, scope: Scope = ()) -> Nodes:
    """Nodes of the type truth value, or of one that is only known when they are evaluated."""
    leaves: Nodes = st.one_of(
        st.builds(Compare, _ORDER, _pair(_TAG, _TEXT)),
        st.builds(Compare, _ORDER, _pair(_TAG, _NUMBER)),
        st.builds(Compare, _MEMBER, _pair(_TEXT, _TAG)),
        st.builds(lambda name, tag: Call(name, (tag,)), st.sampled_from(["has", "empty"]), _TAG),
        st.builds(Literal, st.booleans()),
        *_named(scope, "any"),
    )
    if depth <= 0:
        return leaves
    text, number = texts(depth - 1, scope), numbers(depth - 1, scope)
    several, inner = lists(depth - 1, scope), conditions(depth - 1, scope)
    operands = st.lists(inner, min_size=2, max_size=4).map(tuple)
    no_literal = text.filter(lambda node: not isinstance(node, Literal))
    return st.one_of(
        leaves,
        st.builds(And, operands),
        st.builds(Or, operands),
        st.builds(Not, inner),
        st.builds(Choice, inner, inner, inner),
        st.builds(Compare, _ORDER, _pair(text, text)),
        st.builds(Compare, _ORDER, _pair(number, no_literal) | _pair(no_literal, number)),
        st.builds(Compare, _EQUAL, _pair(several, several)),
        st.builds(Compare, _EQUAL, _pair(inner, inner)),
        st.builds(Compare, _ORDER, _pair(_parted(text), _parted(text))),
        st.builds(Compare, st.tuples(_SIGN, _SIGN), st.tuples(number, _TAG, number)),
        st.builds(
            Compare,
            st.tuples(_SIGN | st.just("in"), st.sampled_from(["in", "not in"])),
            st.tuples(text, _TAG, several),
        ),
        st.builds(Compare, _MEMBER, _pair(text | number | inner, several)),
        st.builds(Compare, _MEMBER, _pair(text, text)),
        st.builds(
            lambda v, m, a: Method(v, m, (a,)),
            text,
            st.sampled_from(["startswith", "endswith"]),
            text | several,
        ),
        st.builds(lambda v, m: Method(v, m, ()), text, st.sampled_from(_IS)),
        st.builds(
            lambda f, v: Call(f, (Items(tuple(v)),)),
            st.sampled_from(["any", "all"]),
            st.lists(inner, max_size=3),
        ),
        st.builds(lambda f, v: Call(f, (v,)), st.sampled_from(["any", "all"]), several),
        loops(depth, scope),
        loops(depth, scope),
    )


@cache
def texts(depth: int, scope: Scope) -> Nodes:
    """Nodes of the type text, or of one that is only known when they are evaluated."""
    leaves: Nodes = st.one_of(_TAG, _TEXT, *_named(scope, "text", "any"))
    if depth <= 0:
        return leaves
    inner, number = texts(depth - 1, scope), numbers(depth - 1, scope)
    bound = st.none() | number | _DIGITS
    return st.one_of(
        leaves,
        st.builds(lambda v, m: Method(v, m, ()), inner, st.sampled_from(_PLAIN)),
        st.builds(lambda v, m, a: Method(v, m, (a,)), inner, st.sampled_from(_STRIPPING), inner),
        st.builds(lambda v, a, b: Method(v, "replace", (a, b)), inner, inner, inner),
        st.builds(lambda v, a, b, c: Method(v, "replace", (a, b, c)), inner, inner, inner, _DIGITS),
        st.builds(lambda v, a: Method(v, "join", (a,)), inner, lists(depth - 1, scope)),
        st.builds(lambda v: Call("str", (v,)), inner | number),
        st.builds(Binary, st.just("+"), inner, inner),
        st.builds(Index, inner, number | _DIGITS),
        st.builds(Index, lists(depth - 1, scope), _DIGITS),
        st.builds(Slice, inner, bound, bound, bound),
        st.builds(Attribute, _parted(inner), st.sampled_from(["left", "right"])),
        _choice(inner, depth, scope),
    )


@cache
def numbers(depth: int, scope: Scope) -> Nodes:
    """Nodes of the type number, or of one that is only known when they are evaluated."""
    leaves: Nodes = st.one_of(
        _NUMBER,
        st.builds(lambda f, t: Call(f, (t,)), st.sampled_from(["float", "int", "len"]), _TAG),
        *_named(scope, "number", "any"),
    )
    if depth <= 0:
        return leaves
    inner, text = numbers(depth - 1, scope), texts(depth - 1, scope)
    several = lists(depth - 1, scope)
    sign = st.sampled_from(["+", "-", "*", "/", "//", "%"])
    readable = inner | _TAG | _NUMERIC
    extreme = st.sampled_from(["min", "max"])
    sought = st.sampled_from(["find", "rfind", "count", "index"])
    return st.one_of(
        leaves,
        st.builds(lambda v: Call("len", (v,)), text | several),
        st.builds(Attribute, _parted(text), st.just("size")),
        st.builds(lambda f, v: Call(f, (v,)), st.sampled_from(["abs", "int", "float"]), inner),
        st.builds(lambda v: Call("round", (v,)), inner | _TAG),
        st.builds(lambda v, d: Call("round", (v, d)), inner | _TAG, _DIGITS),
        st.builds(
            lambda f, v: Call(f, tuple(v)), extreme, st.lists(readable, min_size=1, max_size=3)
        ),
        st.builds(lambda f, v: Call(f, (v,)), extreme | st.just("sum"), several),
        st.builds(lambda v, m, a: Method(v, m, (a,)), text, sought, text),
        st.builds(lambda v, a, d: Method(v, "find", (a, d)), text, text, _DIGITS),
        st.builds(Binary, sign, inner, readable),
        st.builds(Binary, sign, readable, inner),
        st.builds(Unary, st.sampled_from(["-", "+"]), readable),
        _choice(inner, depth, scope),
    )


@cache
def lists(depth: int, scope: Scope) -> Nodes:
    """Nodes of the type list: of texts, of numbers, or mixed."""
    text, number = texts(depth - 1, scope), numbers(depth - 1, scope)
    leaves: Nodes = st.one_of(
        st.builds(Items, st.lists(text, max_size=3).map(tuple)),
        st.builds(Items, st.lists(number, max_size=3).map(tuple)),
        st.builds(Items, st.lists(text | number, max_size=3).map(tuple)),
        st.builds(
            lambda t, m, s: Method(t, m, (s,)),
            _TAG,
            st.sampled_from(["split", "rsplit"]),
            _SEPARATOR,
        ),
        st.builds(lambda t, m: Method(t, m, ()), _TAG, st.sampled_from(["split", "splitlines"])),
        st.builds(
            lambda t, m, s, d: Method(t, m, (s, d)),
            _TAG,
            st.sampled_from(["split", "rsplit"]),
            _SEPARATOR,
            _DIGITS,
        ),
    )
    if depth <= 0:
        return leaves
    inner = lists(depth - 1, scope)
    bound = st.none() | _DIGITS | st.builds(Unary, st.just("-"), _DIGITS)
    return st.one_of(
        leaves,
        st.builds(Binary, st.just("+"), inner, inner),
        st.builds(lambda v: Call("sorted", (v,)), inner),
        st.builds(Slice, inner, bound, bound, bound),
        st.builds(Items, st.lists(inner, max_size=2).map(tuple)),
        _choice(inner, depth, scope),
    )


@cache
def loops(depth: int = 4, scope: Scope = ()) -> Nodes:
    """any(...) and all(...) over lists, with filters, and with loops within."""

    def loop(variable: str, kind: str) -> Nodes:
        sources: dict[str, Nodes] = {
            "text": st.builds(Items, st.lists(_TEXT, min_size=1, max_size=3).map(tuple)),
            "number": st.builds(Items, st.lists(_NUMBER, min_size=1, max_size=3).map(tuple)),
            # What the items are is not known before: the checker takes them for anything.
            "any": lists(depth - 2, scope).filter(lambda source: not _plain(source)),
        }
        around = tuple(each for each in scope if each[0] != variable)
        inside = conditions(depth - 2, (*around, (variable, kind)))
        return st.builds(
            Loop,
            st.sampled_from(["any", "all"]),
            inside,
            st.just(variable),
            sources[kind],
            st.lists(inside, max_size=2).map(tuple),
        )

    return st.deferred(
        lambda: st.one_of(
            *(loop(v, kind) for v in ("x", "y") for kind in ("text", "number", "any"))
        )
    )


def _plain(source: Node) -> bool:
    return isinstance(source, Items) and all(isinstance(i, Literal | Call) for i in source.items)


def tag_sets(root: Node, random: Random, count: int) -> Iterator[Mapping[str, str]]:
    """Up to ``count`` different sets of tags for ``root``, near what it compares them with."""
    names = sorted({n.name for n, _ in walk(root) if isinstance(n, Tag)}) or [KEYWORDS[0]]
    literals = [str(n.value) for n, _ in walk(root) if isinstance(n, Literal)]
    seen = set()
    for _ in range(count * 2):
        tags = {
            _spelled(n, random): _near(literals, random) for n in names if random.random() < 0.9
        }
        if random.random() < 0.1:
            tags[random.choice(SPELLINGS)] = _near(literals, random)
        key = frozenset(tags.items())
        if key not in seen:
            seen.add(key)
            yield tags
        if len(seen) == count:
            return


def _spelled(name: str, random: Random) -> str:
    if random.random() < 0.85:
        return next((k for k in KEYWORDS if k.lower() == name.lower()), name)
    return random.choice([name, name.lower(), name.upper()])


def _near(literals: list[str], random: Random) -> str:
    value = random.choice(literals) if literals else "2"
    other = random.choice(literals) if literals else "MR"
    draw = random.random()
    if draw < 0.4:
        return value
    if draw < 0.55:
        return random.choice(ODD)
    if draw < 0.7:
        return random.choice([value.upper(), value.lower(), f" {value} ", value[:-1], value + "a"])
    if draw < 0.85:
        return random.choice(["\\", " ", ",", ""]).join([value, other])
    return str(random.choice([random.randint(-3, 40), random.randint(0, 40) / 4]))
