"""``mroute run`` with metrics, read over HTTP as Prometheus does.

Knows a site whose images say things that are found again anywhere. Does not know how is counted.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mroute.testing import write_dicom
from tests.e2e.sites import drop
from tests.interop.peers import HOST, PATIENCE, free_port, mroute, until
from tests.plugins.metrics import Samples, parsed

MARK = "MARKED"
UID = "1.2.826.0.1.3680043.8.498"

RULES = """\
version: 1
timing: {{series_complete_after: 0s, study_complete_after: 1h}}
targets:
  pacs: {{type: folder, path: pacs}}
  down: {{type: dicom, host: 127.0.0.1, port: {closed}, aet: DOWN}}
rules:
  route: {{when: tags.Modality == 'CT', action: route, targets: [pacs, down], notify: [{told}]}}
  throw: {{when: tags.Modality == 'OT', action: discard}}
  collect:
    when: tags.Modality == 'MR'
    on: study
    study: {{complete: timeout}}
    action: route
    targets: [pacs]
settings:
  metrics: {{port: {port}}}
"""

TOLD = '{channel: webhook, url: "http://127.0.0.1:9", events: [received]}'


class Site:
    """A site that runs, and its metrics."""

    def __init__(self, root: Path, port: int, process: subprocess.Popen[bytes]) -> None:
        self.root, self.process, self._port = root, process, port

    def scrape(self) -> str:
        with urllib.request.urlopen(f"http://{HOST}:{self._port}/metrics", timeout=30) as answer:
            content: bytes = answer.read()
            return content.decode()

    def until(self, key: str, value: float) -> Samples:
        """The samples once a metric has a value."""

        def found() -> Samples | None:
            try:
                samples = parsed(self.scrape())
            except OSError:  # the port is not served yet
                return None
            return samples if samples.get(f"mroute_{key}") == value else None

        samples = until(found, f"mroute_{key} {value}")
        assert isinstance(samples, Samples)
        return samples

    def drop(self, number: int, modality: str, **tags: str) -> None:
        uid = f"{UID}.{number}"
        marked = {"PatientName": f"{MARK}^{number}", "SeriesDescription": f"{MARK} series"}
        facts: dict[str, Any] = {"StudyInstanceUID": f"{UID}.1000.{number}", "Modality": modality}
        # As a whole, so that the router never sees half of it.
        made = drop(self.root / "elsewhere", uid, 2, **{**marked, **facts, **tags})
        for image in made.glob("*.dcm"):
            write_dicom(image, PatientName=f"{MARK}^{number}", SeriesInstanceUID=uid)
        incoming = self.root / "spool" / "incoming"
        incoming.mkdir(parents=True, exist_ok=True)
        made.rename(incoming / uid)

    def log(self) -> str:
        return (self.root / "log").read_text("utf-8")


def rules(port: int) -> str:
    return RULES.format(port=port, closed=free_port(), told=TOLD)


@contextmanager
def running(root: Path) -> Iterator[Site]:
    port = free_port()
    with mroute(root, rules(port), port) as process:
        yield Site(root, port, process)


def test_what_happens_is_counted_and_names_no_patient(tmp_path: Path) -> None:
    with running(tmp_path) as site:
        site.drop(1, "CT")
        site.drop(2, "OT")
        site.drop(3, "MR")
        site.drop(4, "CT", StudyInstanceUID=f"../{MARK}/{UID}")
        incoming = tmp_path / "spool" / "incoming"
        (incoming / f"{UID}.5#{MARK}.dcm").write_text(f"{MARK} no image")
        site.until('waiting_items{queue="error",state="dead"}', 2.0)
        site.until('target_attempts_total{queue="outgoing",settlement="done",target="pacs"}', 1.0)
        site.until('notifications_settled_total{channel="webhook",settlement="retry"}', 1.0)
        samples = site.until('target_up{target="down"}', 0.0)
        text = site.scrape()
        log = site.log()
    assert MARK not in text
    assert UID not in text
    sent = sum(each.stat().st_size for each in (tmp_path / "pacs").rglob("*.dcm"))
    assert sent > 0
    for key, value in {
        "series_received_total": 4.0,
        "images_received_total": 8.0,
        'series_total{outcome="routed"}': 2.0,
        'series_total{outcome="discarded"}': 1.0,
        'series_total{outcome="error"}': 1.0,
        'images_total{outcome="routed"}': 4.0,
        'rules_triggered_total{rule="route"}': 1.0,
        'rules_triggered_total{rule="collect"}': 1.0,
        "decision_seconds_count": 3.0,
        "commit_seconds_count": 5.0,
        'tasks_settled_total{queue="outgoing",settlement="done"}': 1.0,
        'target_images_total{target="pacs"}': 2.0,
        'target_bytes_total{target="pacs"}': sent,
        'target_attempts_total{queue="outgoing",settlement="retry",target="down"}': 1.0,
        'target_up{target="pacs"}': 1.0,
        'target_waiting_tasks{queue="outgoing",target="down"}': 1.0,
        'waiting_items{queue="studies",state="collecting"}': 1.0,
        'waiting_items{queue="outbox",state="waiting"}': 1.0,
        "configuration_last_reload_successful": 1.0,
        "spool_readable": 1.0,
    }.items():
        assert samples[f"mroute_{key}"] == value, key
    assert MARK not in log


def test_a_refused_edit_is_seen_until_it_is_mended(tmp_path: Path) -> None:
    with running(tmp_path) as site:
        file = tmp_path / "mroute.yaml"
        good = file.read_text()
        since = site.until("configuration_last_reload_successful", 1.0)
        file.write_text(good.replace("action: discard", "action: discrad"))
        refused = site.until("configuration_last_reload_successful", 0.0)
        file.write_text(good)
        mended = site.until("configuration_last_reload_successful", 1.0)
    key = "mroute_configuration_last_good_timestamp_seconds"
    assert refused[key] == since[key] < mended[key]
    assert mended['mroute_configuration_reloads_total{result="refused"}'] == 1.0


def test_a_port_that_is_taken_keeps_nothing_from_being_routed(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        with mroute(tmp_path, rules(port), port) as process:
            site = Site(tmp_path, port, process)
            site.drop(1, "OT")
            until(lambda: "subject_committed" in site.log(), "the series")
            until(lambda: "metrics cannot be served" in site.log(), "a word of the port")
            said = [line for line in site.log().splitlines() if "metrics cannot" in line]
            other.close()
            samples = site.until('series_total{outcome="discarded"}', 1.0)
    assert len(said) == 1  # though it is tried every second
    assert (
        f"metrics cannot be served on '127.0.0.1', port {port}: Address already in use" in said[0]
    )
    assert "service metrics" in said[0]
    assert samples['mroute_troubles_total{event="trouble_noticed"}'] >= 1.0


def test_a_reader_that_hangs_does_not_hold_up_the_end(tmp_path: Path) -> None:
    port = free_port()
    with mroute(tmp_path, rules(port), port) as process:
        idle = socket.create_connection((HOST, port), 30)
        with idle:
            idle.sendall(b"GET /metrics HT")
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
    assert "Traceback" not in (tmp_path / "log").read_text("utf-8")


def test_without_the_section_nothing_is_served(tmp_path: Path) -> None:
    port = free_port()
    text = rules(port).partition("settings:")[0]
    (tmp_path / "mroute.yaml").write_text(text, "utf-8")
    with socket.socket() as other:
        other.bind((HOST, port))
        other.listen()
        with mroute(tmp_path, text, port) as process:  # `other` is what listens
            Site(tmp_path, port, process).drop(1, "OT")
            log = tmp_path / "log"
            until(lambda: "subject_committed" in log.read_text("utf-8"), "the series")
    assert "service metrics" not in log.read_text("utf-8")
