"""Prometheus itself reads the metrics of a running mroute, and fires the alerts of the page.

Knows how Prometheus is begun and asked. Does not know what is counted.
"""

from __future__ import annotations

import json
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.e2e.sites import drop
from tests.e2e.test_readme import blocks
from tests.interop.peers import HOST, free_port, mroute, running, until
from tests.plugins.metrics import every_metric

pytestmark = pytest.mark.interop

WATCH = (ROOT / "docs/how-to/watch-mroute.md").read_text("utf-8")
FILES = {each.name: each.text for each in blocks(WATCH) if each.name}

RULES = """\
version: 1
timing: {{series_complete_after: 0s}}
targets:
  pacs: {{type: dicom, host: 127.0.0.1, port: {closed}, aet: PACS}}
rules:
  ct: {{when: tags.Modality == 'CT', action: route, targets: [pacs]}}
settings:
  metrics: {{port: {port}}}
"""


def promtool(*arguments: str, said: str = "") -> str:
    result = subprocess.run(
        ["promtool", *arguments], input=said, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def test_the_page_is_as_prometheus_likes_it() -> None:
    assert promtool("check", "metrics", said=every_metric()).strip() == ""


def test_prometheus_takes_the_files_of_the_page(tmp_path: Path) -> None:
    for name in ("prometheus.yml", "alerts.yml"):
        (tmp_path / name).write_text(FILES[name], "utf-8")
    said = promtool("check", "config", str(tmp_path / "prometheus.yml"))
    assert "9 rules found" in said


TESTS = """\
rule_files: [alerts.yml]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
      - {series: 'up{job="mroute"}', values: "1x60 0x60"}
      - {series: 'mroute_target_oldest_seconds{queue="outgoing",target="pacs"}', values: "0+60x99"}
      - {series: 'mroute_waiting_items{queue="error", state="dead"}', values: "0x30 1x90"}
      - {series: 'mroute_series_total{outcome="deferred"}', values: "0x29 0+1x90"}
      - {series: 'mroute_target_up{target="pacs"}', values: "1x20 0x100"}
    alert_rule_test:
      - {eval_time: 64m, alertname: MrouteDoesNotAnswer, exp_alerts: []}
      - eval_time: 70m
        alertname: MrouteDoesNotAnswer
        exp_alerts: [{exp_labels: {job: mroute}, exp_annotations: {}}]
      - {eval_time: 60m, alertname: MrouteOldTask, exp_alerts: []}
      - eval_time: 62m
        alertname: MrouteOldTask
        exp_alerts: [{exp_labels: {queue: outgoing, target: pacs}, exp_annotations: {}}]
      - {eval_time: 30m, alertname: MrouteDeadLetters, exp_alerts: []}
      - {eval_time: 33m, alertname: MrouteDeadLetters, exp_alerts: [{exp_annotations: {}}]}
      - {eval_time: 50m, alertname: MrouteDeadLetters, exp_alerts: []}
      - {eval_time: 31m, alertname: MrouteDefers, exp_alerts: []}
      - eval_time: 40m
        alertname: MrouteDefers
        exp_alerts: [{exp_labels: {outcome: deferred}, exp_annotations: {}}]
      - {eval_time: 25m, alertname: MrouteTargetDown, exp_alerts: []}
      - eval_time: 32m
        alertname: MrouteTargetDown
        exp_alerts: [{exp_labels: {target: pacs}, exp_annotations: {}}]
"""


def test_an_alert_fires_when_it_should(tmp_path: Path) -> None:
    alerts = yaml.safe_load(FILES["alerts.yml"])
    for rule in alerts["groups"][0]["rules"]:
        del rule["annotations"]  # they are for people
    (tmp_path / "alerts.yml").write_text(yaml.safe_dump(alerts), "utf-8")
    (tmp_path / "tests.yml").write_text(TESTS, "utf-8")
    assert "SUCCESS" in promtool("test", "rules", str(tmp_path / "tests.yml"))


def test_prometheus_reads_a_running_mroute_and_fires(tmp_path: Path) -> None:
    port, web = free_port(), free_port()
    for name in ("prometheus.yml", "alerts.yml"):
        text = FILES[name].replace("9464", str(port)).replace("15s", "1s")
        text = text.replace("10m", "1s").replace("\n        for: 5m", "")
        (tmp_path / name).write_text(text, "utf-8")
    site = tmp_path / "site"
    command = [
        "prometheus",
        f"--config.file={tmp_path / 'prometheus.yml'}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address={HOST}:{web}",
    ]

    def ask(path: str) -> Any:
        with urllib.request.urlopen(f"http://{HOST}:{web}/api/v1/{path}", timeout=30) as answer:
            return json.loads(answer.read())["data"]

    def is_ready() -> bool:
        try:
            return bool(ask("targets"))
        except urllib.error.HTTPError:  # it listens a moment before
            return False

    def firing() -> set[str]:
        alerts = ask("alerts")["alerts"]
        return {each["labels"]["alertname"] for each in alerts if each["state"] == "firing"}

    rules = RULES.format(port=port, closed=free_port())
    with mroute(site, rules, port), running(command, web, tmp_path / "log"):
        until(is_ready, "Prometheus")
        until(lambda: ask("query?query=mroute_build_info")["result"], "the metrics")
        made = drop(tmp_path / "elsewhere", "1.2.3.4.5.6", Modality="CT")
        made.rename(site / "spool" / "incoming" / "1.2.3.4.5.6")
        (site / "mroute.yaml").write_text(rules.replace("action: route", "action: rout"))
        until(lambda: "MrouteConfigurationRefused" in firing(), "the alert of the rule file")
        assert ask("targets")["activeTargets"][0]["lastError"] == ""
        [metric] = ask("query?query=mroute_series_total{outcome='routed'}")["result"]
        assert metric["value"][1] == "1"
