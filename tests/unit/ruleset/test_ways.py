"""The ways of an index that a small rule set does not take give the same answers.

Knows how an index is made to take them. Does not know what it does then.
"""

from __future__ import annotations

from random import Random

import pytest

from mroute.expr import compile_text
from mroute.ruleset import column, hits, index, numbering, table
from mroute.ruleset.index import RuleIndex
from tests.unit.ruleset.comparison import BUILDS, Comparison, answer, compare_world

WAYS = {
    "no room for all as bits": [(table, "ROOM", 0), (hits, "SPARSE", 1)],
    "no set for an interval": [(table, "MOST", 0)],
    "more terms than are spared a look": [(index, "SMALL", 0), (column, "_LARGE", 0)],
    "caches that overflow": [(column, "MAX_VALUES", 3)],
    "few values in sets that are shared": [(column, "CACHE_BYTES", 1), (column, "_LARGE", 0)],
    "few views": [(numbering, "MAX_VIEWS", 1)],
    "few literals on a tag": [(numbering, "MAX_LITERALS", 1)],
}


@pytest.mark.parametrize("way", WAYS)
def test_of_random_rules_and_series(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, value in WAYS[way]:
        assert hasattr(module, name)
        monkeypatch.setattr(module, name, value)
    done = Comparison()
    # One world of each number of rules but the largest.
    for seed in (0, 1, 2, 3):
        compare_world(seed, done, BUILDS)
    assert min(done.values[value] for value in (True, False, None)) > 1_000


def test_of_more_constants_than_get_a_set_for_each_interval() -> None:
    random = Random(15)
    constants = [*range(-40, 120), *(n + 0.5 for n in range(60)), 2**53 + 1, 1e300]
    texts = [f"tags.SeriesNumber {random.choice(['<', '<=', '>', '>='])} {c}" for c in constants]
    texts += [f"tags.SeriesNumber {sign} {c}" for c in constants[::3] for sign in ("==", "!=")]
    programs = [compile_text(text) for text in texts]
    values = [-41, -40, -39.5, "-0", 0.5, 0.25, 119, 120, 2**53, 2**53 + 1, 2**53 + 2, 1e301, "x"]
    sets = [{"SeriesNumber": str(value)} for value in values] + [{}]
    built = RuleIndex(programs)
    for tags in sets:
        assert built.true(tags) == answer(programs, "true", tags)
        assert built.unknown(tags) == answer(programs, "unknown", tags)
