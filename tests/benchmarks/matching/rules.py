"""The rules of the workload, as texts of the rule language.

Each is written for a series that there might be: one of its clauses picks the few series that it is
about - a scanner, a site, a project -, the others say more about them. Knows the tags of scanners.
Does not know how rules are evaluated.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Mapping
from itertools import pairwise

from tests.benchmarks.matching import words
from tests.benchmarks.matching.scanners import Scanner, series

CLAUSES = {2: 4, 3: 3, 4: 2, 5: 1}
"""How many predicates a rule has, and how often."""

Clause = Callable[[random.Random, Mapping[str, str], tuple[Scanner, ...]], str]


def rule(draw: random.Random, fleet: tuple[Scanner, ...]) -> str:
    """The text of one rule, with two to five predicates."""
    tags = series(draw, fleet)
    count = draw.choices(tuple(CLAUSES), tuple(CLAUSES.values()))[0]
    first = draw.choices(tuple(_PICKING), tuple(_PICKING.values()))[0](draw, tags, fleet)
    clauses: dict[str, None] = {first: None}
    while len(clauses) < count:
        kind = draw.choices(tuple(_SAYING), tuple(_SAYING.values()))[0]
        clause = kind(draw, tags, fleet)
        # Who writes about an ultrasound does not ask for the repetition time - or hardly ever.
        if _tag_of(clause) in tags or clause.startswith("not has") or draw.random() < 0.05:
            clauses[clause] = None
    return _joined(draw, list(clauses))


def _joined(draw: random.Random, clauses: list[str]) -> str:
    """Most are a conjunction; some have an alternative, or say what is not to be."""
    first, *rest = clauses
    shape = draw.random()
    if len(rest) >= 2 and shape < 0.15:
        rest = [f"({rest[0]} or {rest[1]})", *rest[2:]]
    elif len(rest) >= 2 and shape < 0.22:
        rest = [f"not ({_other(rest[0])} or {_other(rest[1])})", *rest[2:]]
    elif len(rest) >= 3 and shape < 0.26:
        rest = [f"({rest[0]} or {rest[1]} and {rest[2]})", *rest[3:]]
    elif shape < 0.3:
        rest = [f"not ({_other(rest[0])})", *rest[1:]]
    together = [first, *rest]
    # People write what comes to their minds first, not what picks the fewest series.
    draw.shuffle(together)
    return " and ".join(together)


_OPPOSITES = (
    (" == ", " != "), (" not in ", " in "), (" in ", " not in "),
    (" < ", " >= "), (" > ", " <= "), (" >= ", " < "), (" <= ", " > "),
)  # fmt: skip


def _other(clause: str) -> str:
    """What somebody excludes who wants ``clause``: what it is not."""
    if clause.startswith("not "):
        return clause.removeprefix("not ")
    if clause.count("<") < 2:  # no range
        for sign, opposite in _OPPOSITES:
            if sign in clause:
                return clause.replace(sign, opposite)
    return f"empty({_tag_of(clause)})"


def _tag_of(clause: str) -> str:
    found = re.search(r"(?:tags\.|has\(|empty\()(\w+)", clause)
    assert found is not None
    return found[1]


def _text(value: str) -> str:
    return repr(value)


def _equal(name: str, default: str) -> Clause:
    def clause(draw: random.Random, tags: Mapping[str, str], fleet: tuple[Scanner, ...]) -> str:
        return f"tags.{name} == {_text(tags.get(name) or default)}"

    return clause


def _one_of(name: str, others: int) -> Clause:
    def clause(draw: random.Random, tags: Mapping[str, str], fleet: tuple[Scanner, ...]) -> str:
        values = [series(draw, fleet).get(name) or "none" for _ in range(draw.randint(1, others))]
        values.append(tags.get(name) or "none")
        listed = ", ".join(_text(value) for value in sorted(set(values)))
        return f"tags.{name} in [{listed}]"

    return clause


def _not_one_of(name: str) -> Clause:
    def clause(draw: random.Random, tags: Mapping[str, str], fleet: tuple[Scanner, ...]) -> str:
        values = {series(draw, fleet).get(name) or "none" for _ in range(draw.randint(2, 5))}
        listed = ", ".join(_text(value) for value in sorted(values - {tags.get(name)}))
        return f"tags.{name} not in [{listed or _text('none')}]"

    return clause


def _word(draw: random.Random, text: str) -> str:
    """A word of ``text``, as somebody would look for it."""
    found = [w for w in text.replace("_", " ").split() if len(w) > 1 and not w.isdigit()]
    return draw.choice(found or ["T1"])


def _contains(name: str, lowered: float) -> Clause:
    def clause(draw: random.Random, tags: Mapping[str, str], fleet: tuple[Scanner, ...]) -> str:
        word = _word(draw, tags.get(name, ""))
        if draw.random() < lowered:
            return f"{_text(word.lower())} in tags.{name}.lower()"
        return f"{_text(word)} in tags.{name}"

    return clause


def _lacks(name: str) -> Clause:
    def clause(draw: random.Random, tags: Mapping[str, str], fleet: tuple[Scanner, ...]) -> str:
        word = _word(draw, series(draw, fleet).get(name, ""))
        return f"{_text(word.lower())} not in tags.{name}.lower()"

    return clause


def _starts(name: str, lowered: float = 0.0) -> Clause:
    def clause(draw: random.Random, tags: Mapping[str, str], fleet: tuple[Scanner, ...]) -> str:
        start = tags.get(name, "")[: draw.randint(2, 6)] or "T1"
        if draw.random() < lowered:
            return f"tags.{name}.lower().startswith({_text(start.lower())})"
        return f"tags.{name}.startswith({_text(start)})"

    return clause


def _ends(name: str) -> Clause:
    def clause(draw: random.Random, tags: Mapping[str, str], fleet: tuple[Scanner, ...]) -> str:
        return f"tags.{name}.endswith({_text(_word(draw, tags.get(name, ''))[-3:])})"

    return clause


def _number(name: str, *bounds: float) -> Clause:
    """Compares with one of ``bounds``, on the side where the series is if that can be seen."""

    def clause(draw: random.Random, tags: Mapping[str, str], fleet: tuple[Scanner, ...]) -> str:
        bound = draw.choice(bounds)
        try:
            value = float(tags.get(name, ""))
        except ValueError:
            value = bound
        value = bound if math.isnan(value) else value
        shape = draw.random()
        if shape < 0.15:
            return f"tags.{name} == {value:g}"
        if shape < 0.3:
            low, high = draw.choice(tuple(pairwise(bounds)))
            return f"{low:g} <= tags.{name} < {high:g}"
        if draw.random() < 0.2:
            return f"tags.{name} {'<' if value > bound else '>'} {bound:g}"
        return f"tags.{name} {draw.choice(('<', '<=')) if value < bound else '>='} {bound:g}"

    return clause


def _project(draw: random.Random, tags: Mapping[str, str], fleet: tuple[Scanner, ...]) -> str:
    project = draw.choice(words.PROJECTS)
    return draw.choice(
        (
            f"tags.StudyDescription.startswith({_text(project)})",
            f"{_text(project)} in tags.StudyDescription",
            f"tags.PatientID.startswith({_text(project + '-')})",
        )
    )


def _has(draw: random.Random, tags: Mapping[str, str], fleet: tuple[Scanner, ...]) -> str:
    name = draw.choice(("ContrastBolusAgent", "BodyPartExamined", "KVP", "SliceThickness"))
    return f"has({name})" if name in tags else f"not has({name})"


def _empty(draw: random.Random, tags: Mapping[str, str], fleet: tuple[Scanner, ...]) -> str:
    name = draw.choice(("StudyDescription", "BodyPartExamined", "PatientSex", "ProtocolName"))
    return f"empty({name})" if draw.random() < 0.1 else f"not empty({name})"


_PICKING: dict[Clause, int] = {
    _equal("StationName", "MR01-000"): 21,
    _one_of("StationName", 5): 14,
    _starts("StationName"): 6,
    _equal("InstitutionName", "none"): 14,
    _one_of("InstitutionName", 2): 4,
    _equal("ManufacturerModelName", "none"): 10,
    _contains("ManufacturerModelName", 0.5): 4,
    _project: 16,
}
"""Clauses that pick few series, and how often a rule has which."""

_SAYING: dict[Clause, int] = {
    _equal("Modality", "MR"): 16,
    _one_of("Modality", 2): 5,
    _equal("BodyPartExamined", "HEAD"): 6,
    _one_of("BodyPartExamined", 3): 6,
    _contains("SeriesDescription", 0.5): 16,
    _contains("ProtocolName", 0.4): 8,
    _starts("SeriesDescription", 0.2): 6,
    _ends("SeriesDescription"): 3,
    _ends("ConvolutionKernel"): 2,
    _contains("StudyDescription", 0.6): 4,
    _lacks("SeriesDescription"): 7,
    _not_one_of("BodyPartExamined"): 5,
    _not_one_of("ManufacturerModelName"): 3,
    _starts("ImageType"): 4,
    _starts("Manufacturer", 0.7): 4,
    _one_of("SenderAET", 2): 3,
    _equal("PatientSex", "F"): 2,
    _number("SliceThickness", 0.7, 1, 2, 3, 5): 12,
    _number("Rows", 128, 256, 512, 1024): 4,
    _number("EchoTime", 5, 20, 50, 100): 4,
    _number("RepetitionTime", 10, 600, 2000, 4000): 4,
    _number("MagneticFieldStrength", 1.5, 2, 3): 4,
    _number("KVP", 80, 100, 120): 3,
    _number("SeriesNumber", 1, 5, 20): 2,
    _has: 7,
    _empty: 4,
}
"""Clauses that say more about them."""
