"""Compares an index of conditions with evaluating them one by one, and tells what differs.

Knows what an index is asked, and in which order, so that answers come from its caches too. Does not
know how an index works, or what the conditions mean: `Program.value` says what is right.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, Final, Protocol, TypeAlias

from mroute.expr import Program, Tree, check, compile_condition, print_tree
from mroute.expr.nodes import Node
from mroute.ruleset.index import RuleIndex
from tests.unit.ruleset.random_rules import FUNCTIONS, compiled, rule, world_of
from tests.unit.ruleset.random_series import series
from tests.unit.ruleset.shrinking import fewer, lesser, smaller, smaller_tags


class Index(Protocol):
    """What is asked of an index; positions are those of the conditions, ascending."""

    def true(self, tags: Mapping[str, str]) -> list[int]: ...

    def unknown(self, tags: Mapping[str, str]) -> list[int]: ...

    def forget(self) -> None: ...


Build: TypeAlias = Callable[[Sequence[Program]], Index]
Tags: TypeAlias = Mapping[str, Any]
Visit: TypeAlias = tuple[str, Tags]
"""A question, "true" or "unknown", and the tags of a series; or "forget"."""


def plain(programs: Sequence[Program]) -> Index:
    """The index without the accelerator."""
    return RuleIndex(programs, accelerated=False)


def accelerated(programs: Sequence[Program]) -> Index:
    """The index with the accelerator, which the tests need."""
    return RuleIndex(programs, accelerated=True)


SHAPES: Final = ((1, 400, 0.5), (4, 400, 0.5), (30, 400, 0.6), (120, 250, 0.85), (400, 125, 0.9))
"""Rules, series, and the share of common predicates of a world.

What an index does may depend on how many rules there are; those of a large file are more alike.
"""

BUILDS: Final[tuple[Build, ...]] = (plain, accelerated)

PATIENCE: Final = 60.0
"""Seconds to make a difference smaller."""


@dataclass(slots=True)
class Comparison:
    """What was compared so far: pairs of a rule and a series by the value of the rule."""

    values: Counter[bool | None] = field(default_factory=Counter)

    @property
    def pairs(self) -> int:
        return self.values.total()


def compare_world(seed: int, done: Comparison, builds: Sequence[Build] = BUILDS) -> None:
    """Compare the rules and series of the world ``seed``; `AssertionError` where they differ.

    Each series is asked about several times, in an order of no pattern, and now and then the index
    is told to forget.
    """
    random = Random(seed)
    rules, sets, common = SHAPES[seed % len(SHAPES)]
    world = world_of(random, common)
    roots = [rule(world) for _ in range(rules)]
    programs = [compiled(root) for root in roots]
    tag_sets = [series(world, random) for _ in range(sets)]
    visits = list(visited(tag_sets, random))
    expected: dict[tuple[str, int], list[int]] = {}
    for tags in tag_sets:
        values = [program.value(tags) for program in programs]
        done.values.update(values)
        expected["true", id(tags)] = [n for n, value in enumerate(values) if value is True]
        expected["unknown", id(tags)] = [n for n, value in enumerate(values) if value is None]
    for build in builds:
        index = build(programs)
        for number, (question, tags) in enumerate(visits):
            if question == "forget":
                index.forget()
            elif asked(index, question, tags) != expected[question, id(tags)]:
                raise AssertionError(
                    difference(roots, visits[: number + 1], build, f"world {seed}")
                )


def check_answers(
    roots: Sequence[Node], tag_sets: Sequence[Tags], random: Random, build: Build, seed: str = ""
) -> None:
    """Compare the conditions ``roots`` on ``tag_sets``; `AssertionError` where they differ."""
    visits = list(visited(tag_sets, random))
    number = differs(roots, visits, build)
    if number is not None:
        raise AssertionError(difference(roots, visits[: number + 1], build, seed))


def visited(tag_sets: Sequence[Tags], random: Random) -> Iterator[Visit]:
    """Two questions about each of ``tag_sets``, and one more about some; now and then "forget"."""
    order = [(question, tags) for tags in tag_sets for question in ("true", "unknown")]
    again = random.sample(tag_sets, (len(tag_sets) + 2) // 3)
    order += [(random.choice(["true", "true", "unknown"]), tags) for tags in again]
    random.shuffle(order)
    for visit in order:
        if random.random() < 3 / len(order):
            yield "forget", {}
        yield visit


def asked(index: Index, question: str, tags: Tags) -> object:
    """What the index answers, which is wrong where it raises."""
    try:
        return index.true(tags) if question == "true" else index.unknown(tags)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the difference to report
        return f"{type(error).__name__}: {error}"


def answer(programs: Sequence[Program], question: str, tags: Tags) -> list[int]:
    """What evaluating ``programs`` one by one answers."""
    wanted = True if question == "true" else None
    return [n for n, program in enumerate(programs) if program.value(tags) is wanted]


# ---- Telling a difference ------------------------------------------------------------------


def differs(roots: Sequence[Node], visits: Sequence[Visit], build: Build) -> int | None:
    """The number of the first visit at which a new index answers something else; None for none."""
    checked = [check(Tree(root), FUNCTIONS) for root in roots]
    if any(each.errors for each in checked):
        return None
    programs = [compile_condition(each) for each in checked]
    index = build(programs)
    for number, (question, tags) in enumerate(visits):
        if question == "forget":
            index.forget()
        elif asked(index, question, tags) != answer(programs, question, tags):
            return number
    return None


def difference(roots: Sequence[Node], visits: Sequence[Visit], build: Build, seed: str) -> str:
    """The smallest rules, and series asked about, that are found to differ as these do, in words.

    The last of ``visits`` is where they differ.
    """
    deadline = time.monotonic() + PATIENCE

    def still(roots: Sequence[Node], visits: Sequence[Visit]) -> bool:
        return time.monotonic() < deadline and differs(roots, visits, build) is not None

    rules, asked_about = list(roots), list(visits)
    if still(rules, asked_about[-1:]):
        asked_about = asked_about[-1:]
    before: object = None
    while before != (rules, asked_about):
        before = rules, asked_about
        rules = fewer(rules, partial(_swapped, still, asked_about))
        asked_about = fewer(asked_about, partial(still, rules))
        asked_about = lesser(asked_about, smaller_visits, partial(still, rules))
        rules = lesser(rules, smaller, partial(_swapped, still, asked_about))
    return told(rules, asked_about, build, seed)


def _swapped(
    still: Callable[[Sequence[Node], Sequence[Visit]], bool],
    visits: Sequence[Visit],
    roots: Sequence[Node],
) -> bool:
    return still(roots, visits)


def smaller_visits(visit: Visit) -> Iterator[Visit]:
    """The same question about fewer or shorter tags."""
    question, tags = visit
    return ((question, less) for less in smaller_tags(tags))


def told(roots: Sequence[Node], visits: Sequence[Visit], build: Build, seed: str) -> str:
    """The rules, what was asked, and both answers."""
    programs = [compile_condition(check(Tree(root), FUNCTIONS)) for root in roots]
    index = build(programs)
    lines = [f"the index ({build.__name__}) differs from one-by-one evaluation; {seed}"]
    lines += [f"  rule {n}: {shown(print_tree(Tree(root)))}" for n, root in enumerate(roots)]
    for question, tags in visits:
        if question == "forget":
            index.forget()
            lines.append("  forget")
            continue
        right = answer(programs, question, tags)
        given = asked(index, question, tags)
        fault = "" if given == right else f", not {given}"
        items = ", ".join(f"{name!r}: {shown(repr(value))}" for name, value in tags.items())
        lines.append(f"  {question} for {{{items}}}: {right}{fault}")
    return "\n".join(lines)


def shown(text: str) -> str:
    return text if len(text) < 2_000 else f"{text[:200]}...{text[-20:]} ({len(text)} characters)"
