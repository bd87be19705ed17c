"""Random conditions as trees: what an index can hold, what it cannot, and both nested.

Knows the kinds of predicates there are, and the texts and numbers of a small world that they are
about, so that they are true, false and unknown often enough. Does not know what anything means, or
which of it an index holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final, TypeAlias

from mroute.expr import BUILTINS, Functions, Program, RuleFunction, Tree, Type, check
from mroute.expr import compile_condition as compile_checked
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
from tests.unit.expr.strategies import PAIR, pair

DEPTH: Final = 4
"""How deep ``and``, ``or``, ``not`` and the like are nested."""

DEPTHS: Final = (0, 1, 1, 1, 2, 2, 3, DEPTH)
"""How deep they may be in a rule; most have few clauses."""

WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "Modality": ("MR", "CT", "PT", "mr", "MRI", "M", "SEG"),
    "SeriesDescription": (
        "T2 SAG FS", "T2 SAG", "t2 sag", "SAG T1", "T1", "CINE", "Straße 5", "STRASSE 5",
        "İstanbul", "i\u0307stanbul", "ﬁne ﬂow", "fine flow", "loc\udcb1", "\ud83dx", "a-b_c",
        "\u0130", "ΑΣ", "ας",
    ),
    "ImageType": (
        "ORIGINAL\\PRIMARY\\AXIAL", "DERIVED\\SECONDARY", "ORIGINAL\\PRIMARY", "\\PRIMARY",
        "ORIGINAL", "original\\primary", "DERIVED\\", "\\",
    ),
    "StationName": ("CT01", "CT02", "MR-01", "ct01", "CT011", "01CT", "", " "),
    "SenderAET": ("SITE_A", "SITE_B", "SITE", "A", "site_a", "SITE_A ", "AE\0"),
    "PatientName": ("Müller^Jörg", "MÜLLER^JÖRG", "x" * 300, "Mu\u0308ller", "\u0663", "a.b", "a."),
}  # fmt: skip
"""Tags of texts, and what theirs are like."""

NUMBERS: Final[Mapping[str, tuple[int | float, ...]]] = {
    "SliceThickness": (0.5, 1, 1.5, 2, 2.5, 5, 1e-3),
    "SeriesNumber": (0, 1, 2, 3, 10, 301, 9007199254740993, 9007199254740992, 10**29),
    "PixelSpacing": (0.5, 0.25, 1, 0.1, 1e300, 0.30000000000000004, 0.3),
}
"""Tags of numbers, and what theirs are."""

DATES: Final[Mapping[str, tuple[str, ...]]] = {
    "StudyDate": ("20240131", "20231231", "20240201", "2024", "202401", "19991231"),
    "StudyTime": ("120000", "0930", "235959.5", "12", "000000"),
}
"""Tags whose order as texts matters."""

OTHER: Final = ("0019,100c", "0009,1001", "SiteOfScanner", "größe", "patientname")
"""Tags that can only be written ``tags["..."]``."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A tag of a world: its name, the texts and the numbers that it is compared with."""

    name: str
    words: tuple[str, ...]
    numbers: tuple[int | float, ...]
    exact: bool = False


@dataclass(frozen=True, slots=True)
class World:
    """A few tags, and the draws about them; ``common`` is the share of common predicates."""

    random: Random
    texts: tuple[Subject, ...]
    numeric: tuple[Subject, ...]
    common: float

    @property
    def subjects(self) -> tuple[Subject, ...]:
        return self.texts + self.numeric

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def text(self) -> Subject:
        """A tag, mostly one of texts."""
        return self.random.choice(self.texts if self.chance(0.9) else self.numeric)

    def number(self) -> Subject:
        """A tag, mostly one of numbers."""
        return self.random.choice(self.numeric if self.chance(0.93) else self.texts)


def world_of(random: Random, common: float = 0.5) -> World:
    """A world of some of the tags above, with some of their texts and numbers."""

    def some(pool: tuple[str, ...], count: int) -> tuple[str, ...]:
        return tuple(random.sample(pool, min(count, len(pool))))

    texts = [
        Subject(name, some(WORDS[name], 4), (1, 2)) for name in random.sample(sorted(WORDS), 3)
    ]
    name = random.choice(sorted(DATES))
    texts.append(Subject(name, some(DATES[name], 4), (20240131, 120000)))
    name = random.choice(OTHER)
    texts.append(Subject(name, some(WORDS["SeriesDescription"], 4), (1, 2), exact=True))
    numeric = []
    for name in random.sample(sorted(NUMBERS), 2):
        numbers = tuple(random.sample(NUMBERS[name], 3))
        numeric.append(Subject(name, tuple(str(number) for number in numbers), numbers))
    return World(random, tuple(texts), tuple(numeric), common)


# ---- What rules call ----------------------------------------------------------------------------


def mirrored(text: str) -> str | None:
    """``text`` backwards; nothing for a text that begins with "S"."""
    return None if text.startswith("S") else text[::-1]


def long_name(text: str) -> bool:
    """Whether ``text`` is long; fails for some."""
    if text[:1] in "CO1":
        raise KeyError(text)
    return len(text) > 3


def drawn(text: str) -> int:
    """A number that is said to be drawn; it is the same each time, so that it can be compared."""
    return sum(map(ord, text[:20])) % 3


def either(text: str) -> object:
    """Of a type that only shows when it is called."""
    return (len(text) > 4, text[:1], len(text))[len(text) % 3]


FUNCTIONS: Final[Functions] = {
    **BUILTINS,
    **{
        function.name: function
        for function in (
            RuleFunction("pair", (Type.TEXT,), PAIR, pair),
            RuleFunction("mirrored", (Type.TEXT,), Type.TEXT, mirrored),
            RuleFunction("long_name", (Type.TEXT,), Type.TRUTH, long_name),
            RuleFunction("twice", (Type.NUMBER,), Type.NUMBER, lambda number: 2 * number),
            RuleFunction("letters", (Type.TEXT,), Type.LIST, lambda text: list(text[:9])),
            RuleFunction("either", (Type.TEXT,), Type.ANY, either),
            RuleFunction("drawn", (Type.TEXT,), Type.NUMBER, drawn, pure=False),
            RuleFunction("drawn_text", (Type.TEXT,), Type.TEXT, mirrored, pure=False),
            RuleFunction("drawn_name", (Type.TEXT,), Type.TRUTH, long_name, pure=False),
            RuleFunction("clock", (), Type.NUMBER, lambda: 12, pure=False),
        )
    },
}
"""The functions of random rules: pure ones and not, and some that fail."""


def compiled(root: Node) -> Program:
    """The program of a tree that passes the check."""
    checked = check(Tree(root), FUNCTIONS)
    assert checked.errors == (), (root, checked.errors)
    return compile_checked(checked)


# ---- Operands -----------------------------------------------------------------------------------

Form: TypeAlias = tuple[str, Callable[[str], str]]

FORMS: Final[tuple[Form, ...]] = (
    ("lower", str.lower),
    ("upper", str.upper),
    ("casefold", str.casefold),
    ("strip", str.strip),
    ("lower", str.lower),
    ("rstrip", str.rstrip),
    ("title", str.title),
)
ORDER: Final = ("<", "<=", ">", ">=")


def tag(world: World, subject: Subject) -> Node:
    """The tag, in some spelling."""
    if subject.exact or world.chance(0.12):
        return Tag(subject.name, exact=True)
    draw = world.random.random()
    name = subject.name
    return Tag(name if draw < 0.7 else name.lower() if draw < 0.85 else name.upper())


def formed(world: World, subject: Subject, plain: float = 0.5) -> tuple[Node, list[str]]:
    """A text made of the tag, and what may be equal to it."""
    node, words = tag(world, subject), list(subject.words)
    if world.chance(plain):
        return node, words
    for name, change in world.random.sample(FORMS, 2 if world.chance(0.2) else 1):
        node = Method(node, name, ())
        if world.chance(0.9):
            words = [change(word) for word in words]
    return node, words


def part_of(world: World, word: str) -> str:
    """Some characters of ``word`` that follow each other; none, rarely."""
    length = world.random.choice([0, 1, 1, 2, 2, 3, 3, 4, 6])
    start = world.random.randrange(max(1, len(word) - length + 1))
    return word[start : start + length]


def listed(values: list[str]) -> Items:
    return Items(tuple(Literal(value) for value in values))


def amount(value: int | float) -> Node:
    return Literal(value) if value >= 0 else Unary("-", Literal(-value))


def near(world: World, subject: Subject) -> Node:
    """A number that the tag has, or one beside it."""
    number = world.random.choice(subject.numbers)
    if world.chance(0.15):
        number = world.random.choice([-number, float(number), number + 1, number / 2])
    return amount(number)


def several(world: World, words: list[str], least: int = 1, most: int = 4) -> list[str]:
    return [world.random.choice(words) for _ in range(world.random.randint(least, most))]


def turned(world: World, sign: str, left: Node, right: Node) -> Node:
    """A comparison, either way round."""
    return Compare((sign,), (left, right) if world.chance(0.7) else (right, left))


# ---- Predicates ---------------------------------------------------------------------------------


def equality(world: World) -> Node:
    node, words = formed(world, world.text())
    return turned(
        world, world.random.choice(["==", "!="]), node, Literal(world.random.choice(words))
    )


def membership(world: World) -> Node:
    node, words = formed(world, world.text())
    chosen = listed(several(world, words, 0 if world.chance(0.03) else 1, 3))
    return Compare((world.random.choice(["in", "not in"]),), (node, chosen))


def containment(world: World) -> Node:
    node, words = formed(world, world.text())
    sought = Literal(part_of(world, world.random.choice(words)))
    return Compare((world.random.choice(["in", "not in"]),), (sought, node))


def within(world: World) -> Node:
    node, words = formed(world, world.text())
    whole = " ".join(several(world, words, 1, 2))
    return Compare((world.random.choice(["in", "not in"]),), (node, Literal(whole)))


def beginning(world: World) -> Node:
    node, words = formed(world, world.text())
    ends = world.chance(0.5)

    def sought() -> str:
        word, length = world.random.choice(words), world.random.choice([1, 2, 3, 5, 40])
        return word[-length:] if ends else word[:length]

    argument: Node = Literal(sought())
    if world.chance(0.4):
        argument = listed([sought() for _ in range(world.random.randint(1, 3))])
    return Method(node, "endswith" if ends else "startswith", (argument,))


def magnitude(world: World) -> Node:
    subject = world.number()
    sign = world.random.choice([*ORDER, *ORDER, "==", "!="])
    return turned(world, sign, tag(world, subject), near(world, subject))


def magnitudes(world: World) -> Node:
    subject = world.number()
    items = tuple(near(world, subject) for _ in range(world.random.randint(1, 3)))
    return Compare((world.random.choice(["in", "not in"]),), (tag(world, subject), Items(items)))


def chained(world: World) -> Node:
    subject = world.number()
    signs = (world.random.choice([*ORDER, "!="]), world.random.choice([*ORDER, "==", "!="]))
    operands = (near(world, subject), tag(world, subject), near(world, subject))
    return Compare(signs, operands)


def converted(world: World) -> Node:
    subject = world.number()
    node: Node = Call(world.random.choice(["float", "float", "int", "abs"]), (tag(world, subject),))
    if world.chance(0.2):
        return Compare(("in",), (node, Items((near(world, subject), near(world, subject)))))
    return turned(world, world.random.choice([*ORDER, "==", "!="]), node, near(world, subject))


def length(world: World) -> Node:
    node, words = formed(world, world.text())
    count = amount(len(world.random.choice(words)) + world.random.choice([-1, 0, 0, 1]))
    sign = world.random.choice([*ORDER, "==", "!="])
    return turned(world, sign, Call("len", (node,)), count)


def order(world: World) -> Node:
    subject = world.random.choice(world.texts)
    node, words = formed(world, subject, plain=0.8)
    if world.chance(0.3):
        signs = (world.random.choice(ORDER), world.random.choice(ORDER))
        low, high = (Literal(world.random.choice(words)) for _ in range(2))
        return Compare(signs, (low, node, high))
    return turned(world, world.random.choice(ORDER), node, Literal(world.random.choice(words)))


def presence(world: World) -> Node:
    return Call("has", (tag(world, world.random.choice(world.subjects)),))


def emptiness(world: World) -> Node:
    return Call("empty", (tag(world, world.random.choice(world.subjects)),))


def sameness(world: World) -> Node:
    subject = world.text()
    node, _ = formed(world, subject, plain=0.85)
    word = world.random.choice(subject.words)
    other = world.random.choice([word, word.upper(), word.lower(), f" {word} ", word + "\0"])
    return Call("same", (node, Literal(other)))


def wording(world: World) -> Node:
    node, words = formed(world, world.text(), plain=0.85)
    parts = [
        world.random.choice([part, part.lower(), part.upper()])
        for part in (part_of(world, world.random.choice(words)) for _ in range(3))
    ]
    return Call(
        world.random.choice(["any_of", "all_of"]),
        (node, listed(parts[: world.random.randint(1, 3)])),
    )


def word(world: World) -> Node:
    node, words = formed(world, world.text(), plain=0.85)
    whole = world.random.choice(words)
    parts = whole.replace("\\", " ").split() or [" "]
    return Call("has_word", (node, Literal(world.random.choice([whole, *parts]).lower())))


def pattern(world: World) -> Node:
    node, _ = formed(world, world.text(), plain=0.8)
    patterns = [
        "^T2",
        "(?i)sag",
        "R$",
        "^C|^O",
        r"\d+",
        r"^\s*$",
        "S|M",
        "[A-Z]{3}",
        "ß",
        "^.{2,4}$",
    ]
    return Call("matches", (node, Literal(world.random.choice(patterns))))


def item(world: World) -> Node:
    subject = world.text()
    node, words = formed(world, subject, plain=0.8)
    position = world.random.choice([0, 0, 1, 2, -1])
    draw = world.random.randrange(5)
    if draw == 0:
        part: Node = Index(node, amount(position))
        fitting = [word[:1] for word in words]
    elif draw == 1:
        part = Slice(node, None if world.chance(0.5) else Literal(0), Literal(2))
        fitting = [word[:2] for word in words]
    elif draw == 2:
        part = Slice(node, amount(world.random.choice([-2, 1])))
        fitting = [word[-2:] for word in words]
    else:
        part = Index(Method(node, "split", (Literal("\\"),)), amount(position))
        fitting = [piece for word in words for piece in word.split("\\")]
    if world.chance(0.3):
        sought = Literal(part_of(world, world.random.choice(fitting)))
        return Compare((world.random.choice(["in", "not in"]),), (sought, part))
    sign = world.random.choice(["==", "==", "!=", "<"])
    return turned(world, sign, part, Literal(world.random.choice(fitting)))


def one_of_values(world: World) -> Node:
    subject = world.text()
    node, words = formed(world, subject, plain=0.8)
    values = Method(node, "split", (Literal("\\"),))
    pieces = [piece for word in words for piece in word.split("\\")]
    sought: Node = Literal(world.random.choice(pieces))
    return Compare((world.random.choice(["in", "not in"]),), (sought, values))


def number_of_values(world: World) -> Node:
    subject = world.number()
    part = Index(Method(tag(world, subject), "split", (Literal("\\"),)), amount(0))
    return turned(world, world.random.choice(ORDER), part, near(world, subject))


def loop(world: World) -> Node:
    subject = world.text()
    node, words = formed(world, subject, plain=0.7)
    name, variable = world.random.choice(["any", "all"]), Name("x")
    source: Node = listed([part_of(world, word) or word for word in several(world, words)])
    filters: tuple[Node, ...] = ()
    draw = world.random.randrange(5)
    if draw == 0:
        body: Node = Compare((world.random.choice(["in", "not in"]),), (variable, node))
    elif draw == 1:
        body = Method(node, world.random.choice(["startswith", "endswith"]), (variable,))
    elif draw == 2:
        source = listed(several(world, words))
        body = Compare((world.random.choice(["==", "!="]),), (node, variable))
    elif draw == 3:
        source = Method(node, "split", (Literal("\\"),))
        pieces = [piece for word in words for piece in word.split("\\")]
        body = Compare(("==",), (variable, Literal(world.random.choice(pieces))))
    else:
        body = And((Compare(("in",), (variable, node)), equality(world)))
    if world.chance(0.4):
        filters = (Compare(("!=",), (variable, Literal(world.random.choice(words)))),)
        if world.chance(0.5):
            filters = (equality(world),)
    return Loop(name, body, "x", source, filters)


def gathered(world: World) -> Node:
    inner = Items(tuple(atom(world, PLAIN) for _ in range(world.random.randint(1, 3))))
    return Call(world.random.choice(["any", "all"]), (inner,))


def two_tags(world: World) -> Node:
    one, other = world.random.sample(world.subjects, 2)
    left, right = tag(world, one), tag(world, other)
    word = Literal(world.random.choice(one.words))
    return world.random.choice(
        [
            Compare((world.random.choice(["==", "!=", *ORDER]),), (left, right)),
            Compare(("<",), (Binary("+", left, Literal("")), right)),
            Compare(("in",), (Index(left, Literal(0)), right)),
            Compare(("in", "in"), (Slice(left, None, Literal(1)), left, Items((right, word)))),
            Compare(("in",), (left, Items((right, word)))),
            Compare(("not in",), (word, Items((left, right)))),
            Method(left, "startswith", (Slice(right, None, Literal(1)),)),
            Compare(("==",), (Binary("+", left, right), Literal(one.words[0] + other.words[0]))),
            Call("same", (left, right)),
        ]
    )


def choice(world: World) -> Node:
    one, other = world.text(), world.text()
    then, words = formed(world, one, plain=0.8)
    whole = Choice(then, atom(world, PLAIN), tag(world, other))
    if world.chance(0.3):
        return Choice(atom(world, PLAIN), atom(world, PLAIN), atom(world, PLAIN))
    return turned(
        world,
        world.random.choice(["==", "!="]),
        whole,
        Literal(world.random.choice([*words, *other.words])),
    )


def arithmetic(world: World) -> Node:
    one, other = world.number(), world.number()
    left = tag(world, one)
    right = tag(world, other) if world.chance(0.5) else near(world, one)
    sign = world.random.choice(["+", "-", "*", "/", "//", "%"])
    whole: Node = Binary(sign, Call("float", (left,)) if sign == "+" else left, right)
    if world.chance(0.25):
        whole = Call(world.random.choice(["min", "max"]), (left, tag(world, other)))
    return turned(world, world.random.choice([*ORDER, "!="]), whole, near(world, one))


def plugin(world: World) -> Node:
    subject = world.text()
    node, words = formed(world, subject, plain=0.8)
    number = world.number()
    word = Literal(world.random.choice(words)[::-1])
    return world.random.choice(
        [
            Compare((world.random.choice(["==", "!="]),), (Call("mirrored", (node,)), word)),
            Call("long_name", (node,)),
            turned(world, "<", Call("twice", (tag(world, number),)), near(world, number)),
            Compare(("in",), (Literal(part_of(world, words[0])[:1]), Call("letters", (node,)))),
            Call("either", (node,)),
            Compare(("==",), (Call("either", (node,)), Literal(world.random.choice([2, 3, 5])))),
        ]
    )


def impure(world: World) -> Node:
    node, words = formed(world, world.text(), plain=0.8)
    word = Literal(world.random.choice(words)[::-1])
    return world.random.choice(
        [
            Compare(
                (world.random.choice(["==", "!=", ">"]),), (Call("drawn", (node,)), Literal(1))
            ),
            Compare(("==",), (Call("drawn_text", (node,)), word)),
            Call("drawn_name", (node,)),
            Compare((">",), (Call("len", (node,)), Call("drawn", (tag(world, world.text()),)))),
            Compare(("<",), (Call("clock", ()), Call("twice", (tag(world, world.number()),)))),
        ]
    )


def mixed(world: World) -> Node:
    """A list of texts and numbers, and whatever else is of several types."""
    subject = world.number()
    node, number = tag(world, subject), near(world, subject)
    text = Literal(world.random.choice([*subject.words, "1", "2.0"]))
    draw = world.random.randrange(4)
    if draw == 0:
        items = Items(tuple(world.random.sample([text, number, near(world, subject)], 3)))
        return Compare((world.random.choice(["in", "not in"]),), (node, items))
    if draw == 1:
        return Compare((world.random.choice(["==", "!="]),), (Items((node,)), Items((number,))))
    if draw == 2:
        # A number beside a text that reads as one.
        digits = Literal(str(abs(world.random.choice(subject.numbers))))
        amount_of = Call(world.random.choice(["float", "int", "len"]), (node,))
        if world.chance(0.3):
            return Compare(("in",), (amount_of, Items((digits, number))))
        return turned(world, world.random.choice([*ORDER, "==", "!="]), amount_of, digits)
    return Compare(("in",), (number, Items((node, text))))


def lists(world: World) -> Node:
    subject = world.text()
    node, words = formed(world, subject, plain=0.8)
    sign = world.random.choice(["==", "!="])
    pieces = world.random.choice(words).split("\\")
    if world.chance(0.5):
        return Compare((sign,), (Method(node, "split", (Literal("\\"),)), listed(pieces)))
    if world.chance(0.5):
        return Compare((sign,), (Items((node, Literal(1))), Items((Literal(words[0]), Literal(1)))))
    other = world.text()
    return Compare((sign,), (Items((node, tag(world, other))), listed([words[0], other.words[0]])))


def truths(world: World) -> Node:
    inner = atom(world, PLAIN)
    sign = world.random.choice(["==", "!="])
    if world.chance(0.3):
        return Compare((sign,), (inner, atom(world, PLAIN)))
    if world.chance(0.3):
        return Compare(("in",), (inner, Items((Literal(True), atom(world, PLAIN)))))
    return Compare((sign,), (inner, Literal(world.chance(0.5))))


def record(world: World) -> Node:
    node, words = formed(world, world.text(), plain=0.8)
    parted = Call("pair", (node,))
    word = world.random.choice(words)
    if world.chance(0.25):
        other = Call("pair", (Literal(word or "a"),))
        return Compare((world.random.choice(["==", "!=", "<", ">="]),), (parted, other))
    if world.chance(0.3):
        return turned(
            world, world.random.choice(ORDER), Attribute(parted, "size"), Literal(len(word))
        )
    return Compare(
        (world.random.choice(["==", "!="]),),
        (Attribute(parted, "left"), Literal(word.partition(".")[0])),
    )


def method(world: World) -> Node:
    subject = world.text()
    node, words = tag(world, subject), subject.words
    word = world.random.choice(words)
    part = Literal(part_of(world, word) or "S")
    return world.random.choice(
        [
            Compare((">=",), (Method(node, "find", (part,)), Literal(0))),
            Compare(("==",), (Method(node, "count", (part,)), Literal(1))),
            Compare(("<",), (Method(node, "index", (part,)), Literal(2))),
            Compare(("==",), (Method(node, "replace", (Literal(" "), Literal(""))), Literal(word))),
            Compare(("==",), (Binary("+", node, Literal("!")), Literal(word + "!"))),
            Compare(("==",), (Method(node, "removesuffix", (part,)), Literal(word))),
            Compare(
                ("!=",), (Method(node, "strip", (Literal("M C1"),)), Literal(word.strip("M C1")))
            ),
            Method(node, world.random.choice(["isdigit", "isupper", "isalnum"]), ()),
            Compare(("==",), (Call("str", (Call("len", (node,)),)), Literal(str(len(word))))),
        ]
    )


def constant(world: World) -> Node:
    return Literal(world.chance(0.5))


Kinds: TypeAlias = tuple[Callable[[World], Node], ...]

PLAIN: Final[Kinds] = (
    equality, membership, containment, within, beginning, magnitude, magnitudes, chained,
    converted, length, order, presence, emptiness, sameness, wording, word, pattern, item,
    one_of_values, number_of_values, mixed, lists, record, method, plugin, impure, two_tags,
    arithmetic,
)  # fmt: skip
"""Predicates that have no condition within."""

KINDS: Final[Kinds] = (*PLAIN, loop, gathered, choice, truths)
"""All kinds of predicates that read tags."""

COMMON: Final[Kinds] = (
    equality, equality, membership, containment, beginning, magnitude, chained, presence,
    emptiness, item, order, length,
)  # fmt: skip
"""Predicates as most rules have them."""


def atom(world: World, kinds: Kinds = KINDS) -> Node:
    """A predicate, of the common kinds or of any of ``kinds``."""
    chosen = COMMON if world.chance(world.common) else kinds
    return constant(world) if world.chance(0.01) else world.random.choice(chosen)(world)


# ---- Whole conditions ---------------------------------------------------------------------------


def condition(world: World, depth: int = DEPTH) -> Node:
    """A condition that is nested at most ``depth`` deep."""
    draw = world.random.random()
    if depth <= 0 or draw < 0.3:
        return atom(world)
    if draw < 0.85:
        count = world.random.choice([2, 2, 2, 3, 3, 5])
        operands = tuple(condition(world, depth - 1) for _ in range(count))
        if world.chance(0.1):
            operands = (*operands, world.random.choice(operands))
        return And(operands) if draw < 0.6 else Or(operands)
    if draw < 0.95:
        return Not(condition(world, depth - 1))
    if draw < 0.97:
        return Choice(*(condition(world, depth - 1) for _ in range(3)))
    below = condition(world, depth - 2), condition(world, depth - 2)
    if draw < 0.985:
        return Compare((world.random.choice(["==", "!="]),), below)
    return Call(world.random.choice(["any", "all"]), (Items(below),))


def crowd(world: World) -> Node:
    """Hundreds of alternatives, or of what must not be."""
    subject = world.text()
    node, words = formed(world, subject, plain=0.9)
    count = world.random.choice([100, 100, 500])
    strangers = [f"{world.random.choice(words)}{number}" for number in range(count)]
    values = [*strangers, world.random.choice(words)]
    draw = world.random.randrange(4)
    if draw == 0:
        inner: Node = Compare(("in",), (node, listed(values)))
    elif draw == 1:
        inner = Or(tuple(Compare(("==",), (node, Literal(value))) for value in values))
    elif draw == 2:
        inner = Or(tuple(Compare(("in",), (Literal(value), node)) for value in values))
    else:
        wanted = (Compare(("!=",), (node, Literal(value))) for value in values)
        inner = And((*wanted, atom(world)))
    return And((inner, atom(world))) if world.chance(0.6) else inner


def costly(world: World) -> Node:
    """A condition that may take more steps than there are, and then is unknown."""
    subject = world.text()
    node, words = tag(world, subject), list(subject.words)
    values = Method(node, "split", (Literal("\\"),))
    variable = Name("x")
    longer = Method(node, "replace", (variable, Literal(world.random.choice(words) * 9)))
    body = world.random.choice(
        [
            Compare(("in",), (Binary("+", variable, Literal("!")), node)),
            Compare((world.random.choice(["in", "not in"]),), (Literal("!?"), longer)),
            Call("has_word", (node, variable)),
            Loop("any", Compare(("==",), (Name("y"), Literal("?"))), "y", values),
        ]
    )
    strangers = [Literal(f"{number} {world.random.choice(words)}") for number in range(150)]
    source = values if world.chance(0.7) else Items(tuple(strangers))
    loop_of = Loop(world.random.choice(["any", "all"]), body, "x", source)
    other = tag(world, world.text())
    rest = [Compare(("==",), (other, stranger)) for stranger in strangers]
    kept = rest[: world.random.choice([2, 30, 150])]
    return And((Or(tuple(kept)), loop_of)) if world.chance(0.3) else Or((loop_of, *kept))


def explosive(world: World) -> Node:
    """A conjunction of disjunctions: as a disjunction of conjunctions it has thousands of terms."""
    count = world.random.randint(4, 8)
    parts = (
        Or(tuple(atom(world) for _ in range(world.random.randint(3, 5)))) for _ in range(count)
    )
    whole = And(tuple(parts))
    return Not(whole) if world.chance(0.3) else whole


def rule(world: World) -> Node:
    """The condition of a rule; one in fifty is of the kind that grows out of bounds."""
    draw = world.random.random()
    if draw < 0.005:
        return crowd(world)
    return explosive(world) if draw < 0.02 else condition(world, world.random.choice(DEPTHS))
