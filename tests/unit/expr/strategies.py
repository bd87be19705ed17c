"""Random expressions that pass the check, as trees, and random tags for them."""

from __future__ import annotations

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
)

PAIR = Record("pair", {"left": Type.TEXT, "right": Type.TEXT, "size": Type.NUMBER}, ordered=True)


def pair(text: str) -> dict[str, str | int | None]:
    """The parts of ``text`` around its first point: none on the right where there is no point."""
    if not text.strip():
        raise ValueError("nothing to part")
    left, point, right = text.partition(".")
    return {"left": left, "right": right if point else None, "size": len(text)}


FUNCTIONS = {**BUILTINS, "pair": RuleFunction("pair", (Type.TEXT,), PAIR, pair)}
"""What random expressions call."""

KEYWORDS = ("Modality", "SliceThickness", "SeriesDescription", "PixelSpacing", "SeriesNumber")

VALUES = st.one_of(
    st.sampled_from(
        ["", " ", "MR", "CT", "2", "2.0", " 1.5", "-3", "1e3", "nan", "1\\2", "0.5\\x", "T2 SAG"]
    ),
    st.text(alphabet=st.sampled_from("aT2 .\\-\udcb1é\0"), max_size=5),
)

TAGS = st.dictionaries(st.sampled_from([*KEYWORDS, "modality", "SLICETHICKNESS"]), VALUES)

_TAGS = st.builds(Tag, st.sampled_from([*KEYWORDS, "modality", "slicethickness"])) | st.builds(
    Tag, st.sampled_from(KEYWORDS), st.just(True)
)
_TEXT = st.builds(Literal, st.one_of(VALUES, st.text(max_size=4), st.sampled_from(["'", "\"'\\n"])))
_NUMBER = st.builds(
    Literal,
    st.one_of(st.integers(0, 20), st.sampled_from([0.5, 1.5, 2.0, 1e300, 10**29])),
)
_ORDER = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
_PLAIN_METHODS = st.sampled_from(["lower", "upper", "strip", "title", "casefold"])
_TRUTH_METHODS = st.sampled_from(["startswith", "endswith"])


def conditions(depth: int = 4, variables: tuple[str, ...] = ()) -> st.SearchStrategy[Node]:
    """Nodes of the type truth value; ``variables`` hold texts."""
    text, number = texts(depth - 1, variables), numbers(depth - 1, variables)
    leaves = st.one_of(
        st.builds(Compare, _ORDER.map(lambda s: (s,)), st.tuples(_TAGS, _TEXT)),
        st.builds(Compare, _ORDER.map(lambda s: (s,)), st.tuples(_TAGS, _NUMBER)),
        st.builds(Compare, st.just(("in",)), st.tuples(_TEXT, _TAGS)),
        st.builds(lambda tag: Call("has", (tag,)), _TAGS),
        st.builds(lambda tag: Call("empty", (tag,)), _TAGS),
        st.builds(Literal, st.booleans()),
    )
    if depth <= 0:
        return leaves
    inner = st.deferred(lambda: conditions(depth - 1, variables))
    several = st.lists(inner, min_size=2, max_size=4).map(tuple)
    membership = st.sampled_from([("in",), ("not in",)])
    return st.one_of(
        leaves,
        st.builds(And, several),
        st.builds(Or, several),
        st.builds(Not, inner),
        st.builds(Choice, inner, inner, inner),
        st.builds(Compare, _ORDER.map(lambda s: (s,)), st.tuples(text, text)),
        st.builds(Compare, st.tuples(_ORDER, _ORDER), st.tuples(number, _TAGS, number)),
        st.builds(Compare, membership, st.tuples(text, lists(depth - 1, variables))),
        st.builds(Compare, membership, st.tuples(text, text)),
        st.builds(Compare, _ORDER.map(lambda s: (s,)), st.tuples(_pairs(text), _pairs(text))),
        st.builds(lambda v, m, a: Method(v, m, (a,)), text, _TRUTH_METHODS, text),
        st.deferred(lambda: _loops(depth, variables)),
    )


def texts(depth: int, variables: tuple[str, ...]) -> st.SearchStrategy[Node]:
    """Nodes of the type text."""
    leaves: st.SearchStrategy[Node] = _TAGS | _TEXT
    if variables:
        leaves = leaves | st.builds(Name, st.sampled_from(variables))
    if depth <= 0:
        return leaves
    inner = st.deferred(lambda: texts(depth - 1, variables))
    number = st.deferred(lambda: numbers(depth - 1, variables))
    return st.one_of(
        leaves,
        st.builds(lambda v, m: Method(v, m, ()), inner, _PLAIN_METHODS),
        st.builds(lambda v, a, b: Method(v, "replace", (a, b)), inner, inner, inner),
        st.builds(Binary, st.just("+"), inner, inner),
        st.builds(Index, inner, number),
        st.builds(Attribute, _pairs(inner), st.sampled_from(["left", "right"])),
        st.builds(Slice, inner, st.none() | number, st.none() | number),
        st.builds(Choice, inner, st.deferred(lambda: conditions(depth - 1, variables)), inner),
    )


def numbers(depth: int, variables: tuple[str, ...]) -> st.SearchStrategy[Node]:
    """Nodes of the type number."""
    if depth <= 0:
        return _NUMBER
    inner = st.deferred(lambda: numbers(depth - 1, variables))
    text = st.deferred(lambda: texts(depth - 1, variables))
    converted = st.builds(lambda f, t: Call(f, (t,)), st.sampled_from(["float", "int"]), _TAGS)
    sign = st.sampled_from(["+", "-", "*", "/", "//", "%"])
    return st.one_of(
        _NUMBER,
        converted,
        st.builds(lambda t: Call("len", (t,)), text),
        st.builds(Attribute, _pairs(text), st.just("size")),
        st.builds(lambda v: Call("abs", (v,)), inner),
        st.builds(Binary, sign, inner, inner | _TAGS),
        st.builds(Unary, st.sampled_from(["-", "+"]), inner),
    )


def _pairs(text: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    """Nodes of the type of the record above."""
    return st.builds(lambda t: Call("pair", (t,)), text)


def lists(depth: int, variables: tuple[str, ...]) -> st.SearchStrategy[Node]:
    """Nodes of the type list, of texts."""
    inner = texts(depth - 1, variables)
    written = st.builds(Items, st.lists(inner, max_size=3).map(tuple))
    split = st.builds(lambda t: Method(t, "split", (Literal("\\"),)), _TAGS)
    return written | split


def _loops(depth: int, variables: tuple[str, ...]) -> st.SearchStrategy[Node]:
    def loop(variable: str) -> st.SearchStrategy[Node]:
        inside = conditions(depth - 2, (*variables, variable))
        return st.builds(
            Loop,
            st.sampled_from(["any", "all"]),
            inside,
            st.just(variable),
            lists(depth - 2, variables),
            st.lists(inside, max_size=1).map(tuple),
        )

    return st.sampled_from(["x", "y"]).flatmap(loop)
