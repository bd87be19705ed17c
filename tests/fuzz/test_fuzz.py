"""The fuzz target in the suite: inputs that were of interest once, and a number of random ones.

What fuzz_expressions finds stays found: it is a file of tests/fixtures/fuzz, which is read here as
bytes. Knows how many inputs CI has time for. Does not know what is promised (oracle).
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mroute.errors import ExpressionError
from mroute.expr import compile_text
from tests.conftest import ROOT
from tests.fuzz import oracle
from tests.fuzz.oracle import SEEDS, check_promises, decode, encode, mutate

CORPUS = sorted((ROOT / "tests/fixtures/fuzz").iterdir())
SOME = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True, database=None
)
FRAGMENTS = st.sampled_from(
    [
        'tags', '.', 'Modality', '[', ']', '(', ')', "'", '"', 'MR', '@', 'and', 'or',
        'not', 'in', '==', '=', '<', '1', '2.5', 'any', 'for', 'x', 'if', 'else', ',',
        ':', '#', '\\', '|', '&', '__class__', 'lambda', 'len', '\u2018', '\u202e',
        '\udcb1', '*', '-', 'True', 'count', 'has', "r'", "'MR'", 'tags.Rows', " ", '\n',
        '\t',
    ]
)  # fmt: skip


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.name)
def test_an_input_of_the_corpus(path: Path) -> None:
    text = decode(path.read_bytes())
    assert encode(text) == path.read_bytes()
    check_promises(text)


def test_the_expressions_that_somebody_wrote() -> None:
    assert len(SEEDS) >= 700
    for text in SEEDS:
        check_promises(text)


@settings(SOME, max_examples=4_000)
@given(st.sampled_from(SEEDS), st.integers(0, 2**32), st.integers(1, 4))
def test_a_rule_that_was_changed(text: str, seed: int, times: int) -> None:
    random = Random(seed)
    for _ in range(times):
        text = mutate(text, random)
    check_promises(text)


@settings(SOME, max_examples=500)
@given(st.lists(FRAGMENTS, max_size=25).map("".join) | st.text() | st.binary().map(decode))
def test_any_text(text: str) -> None:
    check_promises(text)


def test_changed_rules_are_refused_and_answered() -> None:
    # Texts that are all refused, or all right, would show little.
    random, answered = Random(1), 0
    for _ in range(1_000):
        try:
            compile_text(mutate(random.choice(SEEDS), random))
            answered += 1
        except ExpressionError:
            pass
    assert 80 < answered < 900


def test_a_broken_promise_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oracle, "BOUND", -1)
    with pytest.raises(oracle.FaultError, match="took"):
        check_promises("True")
    monkeypatch.undo()
    monkeypatch.setattr(oracle, "parse", lambda text, language: text.index("?"))
    with pytest.raises(ValueError, match="substring"):
        check_promises("True")
