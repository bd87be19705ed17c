"""The pages on metrics and logs: what they list is what there is, and their examples are used.

Knows the pages. Does not know what is counted or logged.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest
import structlog
import yaml
from prometheus_client.parser import text_string_to_metric_families

import mroute_log
from mroute import api
from mroute.api import Event
from mroute.config import load
from mroute.errors import PluginError
from mroute.events import PHI_FIELDS
from mroute.formatting import format_text
from mroute.hooks import Hooks
from mroute.logs import configure_logs, log_plugin_error
from mroute.registry import Registry
from mroute_metrics.settings import MetricsSettings
from tests.conftest import ROOT
from tests.e2e.test_readme import blocks
from tests.plugins.metrics import every_metric

METRICS = (ROOT / "docs/reference/metrics.md").read_text("utf-8")
LOGS = (ROOT / "docs/reference/logs.md").read_text("utf-8")
WATCH = (ROOT / "docs/how-to/watch-mroute.md").read_text("utf-8")

EVENTS = {
    each.__name__: each
    for each in vars(api).values()
    if isinstance(each, type) and issubclass(each, Event) and each is not Event
}


def table(page: str, columns: int) -> dict[str, list[str]]:
    """The rows whose first cell is a name, by that; the other cells as they are."""
    rows = re.findall(r"^\| `(\w+)` \|(.*)\|$", page, re.MULTILINE)
    found = {name: [cell.strip() for cell in rest.split("|")] for name, rest in rows}
    return {name: cells for name, cells in found.items() if len(cells) == columns - 1}


def quoted(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


# Metrics


def test_every_metric_is_on_the_page() -> None:
    there = {}
    for family in text_string_to_metric_families(every_metric()):
        if not family.name.startswith("process_"):
            name = family.name + ("_total" if family.type == "counter" else "")
            labels = {label for sample in family.samples for label in sample.labels}
            there[name] = (family.type, sorted(labels - {"le"}))
    rows = table(METRICS, 4)
    assert {name: (cells[0], sorted(quoted(cells[1]))) for name, cells in rows.items()} == there


def test_every_alert_and_query_is_about_metrics_and_labels_that_there_are() -> None:
    rows = table(METRICS, 4)
    labels = {name: {*quoted(cells[1]), "le"} for name, cells in rows.items()}
    [alerts] = [yaml.safe_load(each.text) for each in blocks(WATCH) if each.name == "alerts.yml"]
    rules = alerts["groups"][0]["rules"]
    queries = re.findall(r"^\| .*\? \| `(.*)` \|$", WATCH, re.MULTILINE)
    assert (len(rules), len(queries)) == (9, 8)
    for expression in [*(rule["expr"] for rule in rules), *queries]:
        found = re.findall(r"(mroute_\w+|\bup\b)(?:\{(.*?)\})?", expression)
        assert found, expression
        for name, selector in found:
            base = re.sub("_(bucket|sum|count)$", "", name)
            known = labels.get(name) or labels.get(base) or {"job"}
            asked = re.findall(r"(\w+)[=!]", selector)
            assert name == "up" or base in labels or name in labels, expression
            assert set(asked) <= known, expression
            grouped = re.findall(r"by \((.*?)\)", expression)
            assert {each.strip() for by in grouped for each in by.split(",")} <= known, expression
    for rule in rules:
        shown = re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"])
        assert all(each in rule["expr"] or each == "plugin" for each in shown), rule


def test_the_files_of_the_page_go_together(tmp_path: Path) -> None:
    files = {each.name: each.text for each in blocks(WATCH) if each.name}
    assert list(files) == ["mroute.yaml", "prometheus.yml", "alerts.yml"]
    registry = Registry.collect(Hooks.load())
    (tmp_path / "mroute.yaml").write_text(files["mroute.yaml"], "utf-8")
    settings = load(tmp_path / "mroute.yaml", registry).settings["metrics"]
    assert settings == MetricsSettings()
    assert format_text("mroute.yaml", files["mroute.yaml"], registry) == files["mroute.yaml"]
    scraping = yaml.safe_load(files["prometheus.yml"])
    [[target]] = [each["targets"] for each in scraping["scrape_configs"][0]["static_configs"]]
    assert target == f"{MetricsSettings().bind}:{MetricsSettings().port}"
    assert f"http://{target}/metrics" in WATCH
    assert scraping["rule_files"] == ["alerts.yml"]
    assert 'up{job="mroute"}' in files["alerts.yml"]
    assert scraping["scrape_configs"][0]["job_name"] == "mroute"


# Logs

VALUES: dict[str, list[Any]] = {
    "settlement": ["done", "retry", "failed", "hand_over"],
    "forced": [None, "proceed", "discard", "error"],
    "down": [True, False],
    "accepted": [True, False],
}
"""Values of fields on which the level of a line may depend."""


def variants(kind: type[Event]) -> list[Event]:
    """Events of a kind, with all values on which the level may depend."""
    names = [each.name for each in dataclasses.fields(kind)]
    values = [VALUES.get(name, ["x"]) for name in names]
    return [kind(*each) for each in itertools.product(*values)]


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest) -> Any:
    """The lines of the log that events come to, as JSON."""

    def lines(events: list[Event], log_phi: bool) -> list[dict[str, Any]]:
        configure_logs(log_phi, as_json=True)
        for event in events:
            mroute_log.mroute_event(event)
        return [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    yield lines
    structlog.reset_defaults()


COMMON = ["event", "level", "timestamp"]


@pytest.mark.parametrize("kind", EVENTS.values(), ids=EVENTS)
def test_the_page_says_what_a_line_of_the_log_has(kind: type[Event], written: Any) -> None:
    events = variants(kind)
    name = events[0].name
    level, fields, left_out = table(LOGS, 4)[name]
    assert quoted(left_out) == [each for each in quoted(fields) if each in PHI_FIELDS]
    for log_phi in (True, False):
        for line in written(events, log_phi):
            hidden = [] if log_phi else quoted(left_out)
            assert list(line) == [*(x for x in quoted(fields) if x not in hidden), *COMMON]
            assert line["event"] == name
    levels = {line["level"] for line in written(events, False)}
    assert set(re.findall("info|warning|error$", level)) == levels


def test_the_page_has_no_other_lines(capsys: pytest.CaptureFixture[str]) -> None:
    names = {variants(each)[0].name for each in EVENTS.values()}
    assert set(table(LOGS, 4)) == names | {"plugin_failed"}
    configure_logs(log_phi=False, as_json=True)
    log_plugin_error(PluginError("broken", "it raised"))
    line = json.loads(capsys.readouterr().err)
    structlog.reset_defaults()
    level, fields, _ = table(LOGS, 4)["plugin_failed"]
    assert list(line) == [*quoted(fields), *COMMON]
    assert line["level"] == level


def test_the_line_of_the_page_is_one_of_the_log() -> None:
    [block] = [each for each in blocks(LOGS) if each.language == "json"]
    line = json.loads(block.text)
    _, fields, _ = table(LOGS, 4)[line["event"]]
    assert list(line) == [*quoted(fields), *COMMON]
