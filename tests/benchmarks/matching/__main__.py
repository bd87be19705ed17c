"""The benchmark of issue 4: ``python -m tests.benchmarks.matching [--quick] [--no-peers]``.

Prints Markdown; docs/explanation/performance.md has the result of one run. Exits 1 where a target
is not met.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from mroute.config.kept import FOLDER_VARIABLE
from mroute.contributions import Phase
from mroute.expr import Program, compile_text
from mroute.models import RuleBase
from mroute.ruleset import CompiledRule, RuleSet
from mroute.ruleset.index import RuleIndex
from tests.benchmarks import explaining
from tests.benchmarks.matching import files, peers
from tests.benchmarks.matching.forms import Form, form_of, predicates
from tests.benchmarks.matching.measuring import Match, Way, measured, ratio
from tests.benchmarks.matching.reference import reference
from tests.benchmarks.matching.table import Report, machine, shown
from tests.benchmarks.matching.workload import Tags, Workload, seen

WARM = {100: 1.5, 1_000: 0.30, 10_000: 0.08}
COLD = {100: 3.5, 1_000: 0.6, 10_000: 0.12}
"""Targets: the time beside reference (c), by the number of rules."""
GROWTH, BUILD, EXPLAIN = 8, 100, 1
"""Targets: from 100 to 10,000 rules; microseconds a rule; seconds."""

KNOWN = 3_000
"""Series that fill the caches."""
BLOCKS, QUICK_BLOCKS, LENGTH, SECONDS = 12, 3, 100, 120
"""Series are measured in blocks of a length, for so many seconds at most."""
PEER_BLOCKS, PEER_SECONDS, PEER_BUILD_SECONDS = 10, 20, 60
"""A peer is left out where it would take longer to read the rules than that."""


def rule_set(conditions: Mapping[str, Program]) -> RuleSet:
    """All conditions as rules that send."""
    rule = RuleBase(when="True", action="route")
    return RuleSet(CompiledRule(name, rule, Phase.DISPATCH, c) for name, c in conditions.items())


class Comparison:
    """All that is measured for one number of rules."""

    def __init__(self, forms: Mapping[str, Form], conditions: Mapping[str, Program]) -> None:
        self.count, self.forms = len(forms), forms
        self.reference: Match = reference(forms, lazy=False)
        self.rules = rule_set(conditions)
        names = list(conditions)
        began = time.perf_counter()
        self.index = RuleIndex(list(conditions.values()))
        self.building = time.perf_counter() - began
        self.alone: Match = lambda tags: [names[at] for at in self.index.true(tags)]
        self.whole: Match = lambda tags: self.rules.evaluate(tags).triggered

    def run(self, workload: Workload, quick: bool) -> dict[str, dict[str, list[float]]]:
        """Times with caches warm and without, of the faster reference and of mroute."""
        series = workload.series((QUICK_BLOCKS if quick else BLOCKS) * LENGTH, "unseen")
        blocks = [series[at : at + LENGTH] for at in range(0, len(series), LENGTH)]
        known = workload.series(KNOWN, "known")
        self._choose_reference([known[at : at + LENGTH] for at in range(0, 10 * LENGTH, LENGTH)])
        for tags in known:
            self.whole(tags)
            self.alone(tags)
        share = statistics.fmean(len(self.reference(tags)) for tags in series) / self.count
        asked = dict.fromkeys(p.tag for form in self.forms.values() for p in predicates(form))
        print(
            f"{self.count:,} rules: {share:.2%} of them trigger on a series; "
            f"{seen(known, series, list(asked)):.1%} of the values of their {len(asked)} tags "
            f"occurred before\n"
        )
        found = {}
        for name, forget in {
            "warm": (None, None),
            "cold": (self.rules.forget, self.index.forget),
        }.items():
            ways = {
                "c": Way(self.reference),
                "whole": Way(self.whole, forget[0]),
                "index": Way(self.alone, forget[1]),
            }
            found[name] = measured(ways, blocks, SECONDS)
        return found

    def _choose_reference(self, blocks: Sequence[Sequence[Tags]]) -> None:
        other = reference(self.forms, lazy=True)
        found = measured({"eager": Way(self.reference), "lazy": Way(other)}, blocks, SECONDS)
        if ratio(found["lazy"], found["eager"]) < 1:
            self.reference = other


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.matching")
    parser.add_argument(
        "--quick", action="store_true", help="fewer series, no large file, no peers"
    )
    parser.add_argument("--no-peers", action="store_true", help="do not look for other engines")
    options = parser.parse_args()
    workload, report = Workload(), Report()
    print(f"{machine()}\n")
    texts = workload.rules(max(WARM))
    conditions = {name: compile_text(text) for name, text in texts.items()}
    forms = {name: form_of(each.tree.root) for name, each in conditions.items()}
    comparisons = {
        count: Comparison(dict(list(forms.items())[:count]), dict(list(conditions.items())[:count]))
        for count in WARM
    }
    times = {count: each.run(workload, options.quick) for count, each in comparisons.items()}
    compared(report, times, comparisons)
    explained(report, texts)
    if not options.quick:
        large(report, workload)
        if not options.no_peers:
            for comparison in comparisons.values():
                beside(report, workload, comparison)
    sys.exit(0 if report.verdict() else 1)


def compared(
    report: Report,
    times: Mapping[int, Mapping[str, Mapping[str, list[float]]]],
    comparisons: Mapping[int, Comparison],
) -> None:
    """The times beside reference (c), the growth, and the cost of building."""
    columns = ("", "(c), us", "index, us", "evaluate, us", "index / (c)", "evaluate / (c)")
    for kind, title, targets in (
        ("warm", "Caches warm, unseen series", WARM),
        ("cold", "No cache", COLD),
    ):
        report.heading(title, *columns, "target", "met")
        for count, most in targets.items():
            found, name = times[count][kind], f"{count:,} rules"
            beside = {each: ratio(found[each], found["c"]) for each in ("index", "whole")}
            report.row(
                name,
                *(shown(statistics.median(found[e]) * 1e6) for e in ("c", "index", "whole")),
                *map(shown, beside.values()),
                *report.target(name, beside["whole"], most),
            )
    report.heading("Growth and building")
    few, many = (statistics.median(times[count]["warm"]["whole"]) for count in (100, 10_000))
    report.figure("10,000 rules beside 100, caches warm", many / few, "times", GROWTH)
    for count, each in comparisons.items():
        limit = BUILD if count == max(WARM) else None
        name = f"building the index of {count:,} rules, a rule"
        report.figure(name, each.building / count * 1e6, "us", limit)


def explained(report: Report, texts: Mapping[str, str]) -> None:
    """By the benchmark that is there for it, on the rules of this workload."""
    report.heading("mroute explain on a file of 10,000 rules, after loading")
    with tempfile.TemporaryDirectory() as folder:
        os.environ[FOLDER_VARIABLE] = str(Path(folder, "cache"))
        file = Path(folder, "mroute.yaml")
        files.write(file, texts)
        found = explaining.measured(file)
    for name, times in found.items():
        most = EXPLAIN if name.startswith("explaining") else None
        report.figure(name, statistics.median(times), "s", most)


def large(report: Report, workload: Workload) -> None:
    """A file of 100,000 rules, loaded and used by a process of its own."""
    columns = ("the parsed rules are", "load_rules, s", "first series, ms", "unseen series, us")
    report.heading("A file of 100,000 rules", *columns, "peak memory, MB")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "mroute.yaml")
        files.write(file, workload.rules(100_000))
        for state in ("not kept yet", "kept on disk"):
            found = files.in_a_process(file, Path(folder, "cache"))
            cells = found["load"], found["first"] * 1e3, found["match"] * 1e6, found["peak"]
            report.row(state, *map(shown, cells))


def beside(report: Report, workload: Workload, comparison: Comparison) -> None:
    """The engines that are installed, on the same rules and series."""
    count = comparison.count
    columns = ("", "us a series", "times RuleSet.evaluate", "times (c)")
    report.heading(f"Other engines, {count:,} rules", *columns)
    series = workload.series(PEER_BLOCKS, f"peers {count}")
    few = dict(list(comparison.forms.items())[: count // 10])
    for peer in peers.installed():
        began = time.perf_counter()
        peer.build(few)
        if (time.perf_counter() - began) * 10 > PEER_BUILD_SECONDS:
            report.row(peer.name, "takes too long to read the rules", "", "")
            continue
        ways = {
            "peer": Way(peer.build(comparison.forms)),
            "c": Way(comparison.reference),
            "whole": Way(comparison.whole),
        }
        for way in ways.values():
            way.match(series[0])
        found = measured(ways, [[tags] for tags in series[1:]], PEER_SECONDS)
        ratios = [ratio(found["peer"], found[other]) for other in ("whole", "c")]
        report.row(peer.name, shown(statistics.median(found["peer"]) * 1e6), *map(shown, ratios))


if __name__ == "__main__":
    main()
