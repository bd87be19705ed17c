"""Other rule engines, each given the rules of the workload in its own language.

They are compared with where they are installed. None of them knows three values, so every rule
asks what it takes to be true: that a tag is there, and that a number can be read, is said by
variables of its own, which are made once a series for all rules. Variables never change their type,
for some of the languages have no null that can be compared.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mroute.expr.values import BLANKS
from tests.benchmarks.matching.forms import Form, Kind, Predicate, predicates
from tests.benchmarks.matching.reference import number

Values = dict[str, Any]
Triggered = Callable[[Values], list[str]]
"""The names of the rules that are true for the variables of a series."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a language spells a predicate; ``{0}`` is the variable and ``{1}`` the constant."""

    every: str
    some: str
    negation: str
    prefix: str
    suffix: str
    contains: str
    one_of: str = "{0} in [{1}]"
    variable: str = "{0}"
    escapes: bool = True
    """Whether a backslash in a text is written twice; no text of the workload has a quote."""

    def text(self, value: object) -> str:
        """A constant text."""
        return json.dumps(value, ensure_ascii=False) if self.escapes else f'"{value}"'


PYTHON = Dialect(
    " and ", " or ", "not ({0})", "{0}.startswith({1})", "{0}.endswith({1})", "{1} in {0}"
)
ASTEVAL = replace(PYTHON, variable='series["{0}"]')
CEL = Dialect(
    " && ", " || ", "!({0})", "{0}.startsWith({1})", "{0}.endsWith({1})", "{0}.contains({1})"
)
RULE_ENGINE = Dialect(
    " and ", " or ", "not ({0})", "{0}.starts_with({1})", "{0}.ends_with({1})", "{1} in {0}"
)
ZEN = Dialect(
    " and ",
    " or ",
    "not ({0})",
    "startsWith({0}, {1})",
    "endsWith({0}, {1})",
    "contains({0}, {1})",
    escapes=False,
)


def spelled(form: Form, dialect: Dialect) -> str:
    """When a rule is true, in the language of ``dialect``."""
    if isinstance(form, Predicate):
        return _predicate(form, dialect)
    join = dialect.every if form.every else dialect.some
    return f"({join.join(spelled(part, dialect) for part in form.parts)})"


def _predicate(asked: Predicate, dialect: Dialect) -> str:
    def variable(suffix: str) -> str:
        return dialect.variable.format(asked.tag + suffix)

    def guarded(guard: str, literal: str) -> str:
        return f"({guard}{dialect.every}{literal})"

    here = variable("_has")
    if asked.kind is Kind.HAS:
        return here if asked.wanted else dialect.negation.format(here)
    if asked.kind is Kind.COMPARE:
        literal = f"{variable('_number')} {asked.sign} {float(asked.constants[0])!r}"
        return guarded(variable("_readable"), literal)
    if asked.kind is Kind.EMPTY:
        literal = variable("_empty")
    else:
        template = {
            Kind.EQUAL: "{0} == {1}",
            Kind.ONE_OF: dialect.one_of,
            Kind.PREFIX: dialect.prefix,
            Kind.SUFFIX: dialect.suffix,
            Kind.CONTAINS: dialect.contains,
        }[asked.kind]
        constants = ", ".join(dialect.text(each) for each in asked.constants)
        literal = template.format(variable("_lower" if asked.lowered else ""), constants)
    if asked.wanted:
        return literal
    return guarded(here, dialect.negation.format(literal))


class Variables:
    """Makes the variables of a series: those that some rule asks for."""

    def __init__(self, forms: Iterable[Form]) -> None:
        asked = [each for form in forms for each in predicates(form)]
        self._tags = tuple(dict.fromkeys(each.tag for each in asked))
        self._lowered = {each.tag for each in asked if each.lowered}
        self._compared = {each.tag for each in asked if each.kind is Kind.COMPARE}

    def __call__(self, tags: Mapping[str, str]) -> Values:
        values: Values = {}
        for name in self._tags:
            text = tags.get(name)
            values[name] = text or ""
            values[f"{name}_has"] = text is not None
            values[f"{name}_empty"] = text is not None and not text.strip(BLANKS)
            if name in self._lowered:
                values[f"{name}_lower"] = (text or "").lower()
            if name in self._compared:
                read = number(text)
                values[f"{name}_readable"] = read == read
                values[f"{name}_number"] = float(read) if read == read else 0.0
        return values


def _asteval(forms: Mapping[str, Form], module: Any) -> Triggered:
    """A new interpreter for each rule, as the documented system does."""
    texts = {name: spelled(form, ASTEVAL) for name, form in forms.items()}

    def is_true(text: str, values: Values) -> bool:
        known = {"series": values}
        return module.Interpreter(user_symbols=known, minimal=True, use_numpy=False)(text) is True

    return lambda values: [name for name, text in texts.items() if is_true(text, values)]


def _simpleeval(forms: Mapping[str, Form], module: Any) -> Triggered:
    evaluator = module.EvalWithCompoundTypes()
    parsed = {name: evaluator.parse(spelled(form, PYTHON)) for name, form in forms.items()}

    def triggered(values: Values) -> list[str]:
        evaluator.names = values
        return [name for name, tree in parsed.items() if evaluator.eval("", tree) is True]

    return triggered


def _rule_engine(forms: Mapping[str, Form], module: Any) -> Triggered:
    rules = {name: module.Rule(spelled(form, RULE_ENGINE)) for name, form in forms.items()}
    return lambda values: [name for name, rule in rules.items() if rule.matches(values)]


def _celpy(forms: Mapping[str, Form], module: Any) -> Triggered:
    """By its compiler, which is ten times as fast as its interpreter."""
    types = {bool: module.celtypes.BoolType, float: module.celtypes.DoubleType}
    named = {
        name: types.get(type(value), module.celtypes.StringType)
        for name, value in Variables(forms.values())({}).items()
    }
    environment = module.Environment(annotations=named, runner_class=module.CompiledRunner)
    texts = {name: spelled(form, CEL) for name, form in forms.items()}
    programs = {
        # An evaluation takes the longer the more variables there are, asked for or not.
        name: (environment.program(environment.compile(text)), set(re.findall(r"\w+", text)))
        for name, text in texts.items()
    }

    def triggered(values: Values) -> list[str]:
        known = {name: module.json_to_cel(value) for name, value in values.items()}
        return [
            name
            for name, (program, asked) in programs.items()
            if program.evaluate({each: known[each] for each in asked & known.keys()})
        ]

    return triggered


def _cel(forms: Mapping[str, Form], module: Any) -> Triggered:
    programs = {name: module.compile(spelled(form, CEL)) for name, form in forms.items()}

    def triggered(values: Values) -> list[str]:
        context = module.Context(variables=values)
        return [name for name, each in programs.items() if each.execute(context) is True]

    return triggered


def _zen(forms: Mapping[str, Form], module: Any) -> Triggered:
    """One decision table with all rules that collects what holds."""
    table = {
        "hitPolicy": "collect",
        "inputs": [{"id": "when", "name": "when"}],
        "outputs": [{"id": "rule", "name": "rule", "field": "rule"}],
        "rules": [
            {"_id": name, "when": spelled(form, ZEN), "rule": json.dumps(name)}
            for name, form in forms.items()
        ],
    }
    model = {
        "nodes": [
            {"id": "in", "name": "in", "type": "inputNode"},
            {"id": "table", "name": "table", "type": "decisionTableNode", "content": table},
            {"id": "out", "name": "out", "type": "outputNode"},
        ],
        "edges": [
            {"id": "first", "sourceId": "in", "targetId": "table", "type": "edge"},
            {"id": "second", "sourceId": "table", "targetId": "out", "type": "edge"},
        ],
    }
    decision = module.ZenEngine().create_decision(json.dumps(model))
    return lambda values: [found["rule"] for found in decision.evaluate(values)["result"]]


_PEERS: dict[str, tuple[str, Callable[[Mapping[str, Form], Any], Triggered]]] = {
    "rule-engine": ("rule_engine", _rule_engine),
    "cel-python": ("celpy", _celpy),
    "common-expression-language (Rust)": ("cel", _cel),
    "zen-engine, one decision table": ("zen", _zen),
    "asteval, an interpreter per rule": ("asteval", _asteval),
    "simpleeval": ("simpleeval", _simpleeval),
}


@dataclass(frozen=True, slots=True)
class Peer:
    """An installed engine."""

    name: str
    module: str
    make: Callable[[Mapping[str, Form], Any], Triggered]

    def build(self, forms: Mapping[str, Form]) -> Callable[[Mapping[str, str]], list[str]]:
        """The engine with all rules: from the tags of a series to the names of what triggers."""
        variables = Variables(forms.values())
        triggered = self.make(forms, importlib.import_module(self.module))
        return lambda tags: triggered(variables(tags))


def installed() -> Iterator[Peer]:
    """The peers that can be imported."""
    for name, (module, make) in _PEERS.items():
        if importlib.util.find_spec(module) is not None:
            yield Peer(name, module, make)
