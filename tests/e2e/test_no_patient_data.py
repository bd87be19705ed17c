"""No word of a patient reaches the log, a notification or a metric, whatever happens to a series.

Knows series of which every tag, and every file, says something that is found again anywhere. Does
not know which event says what.
"""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import repeat
from pathlib import Path
from textwrap import dedent

import pytest

from mroute.logs import configure_logs
from mroute.service import Service, open_site
from mroute_metrics.counting import Counting
from tests.e2e.sites import Played, later, plugins_with, write_rules
from tests.plugins.metrics import page

KEYWORDS = [
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "PatientAge",
    "OtherPatientIDs",
    "IssuerOfPatientID",
    "PatientComments",
    "PatientAddress",
    "AccessionNumber",
    "StudyID",
    "StudyDescription",
    "SeriesDescription",
    "ProtocolName",
    "BodyPartExamined",
    "ReferringPhysicianName",
    "PerformingPhysicianName",
    "OperatorsName",
    "RequestedProcedureDescription",
    "InstitutionName",
    "StationName",
    "DeviceSerialNumber",
    "SliceThickness",
    "SeriesNumber",
    "StudyDate",
    "ContrastBolusAgent",
    "ImageComments",
    "AdmissionID",
    "SenderAddress",
    "SenderAET",
    "ReceiverAET",
]

UID = "1.2.826.0.1.3680043.8.498"
"""Below it are all UIDs of this test."""

MARK = "MARKED"
"""In every value of a tag, and nowhere else."""

RULES = """
    version: 1
    timing: {series_complete_after: 0s, study_complete_after: 0s, retry_max: 0}
    targets:
      pacs: {type: folder, path: pacs}
      broken: {type: dummy, fail: it is broken}
    modules:
      fine: {runner: command, command: [sh, -c, "cp in/*.dcm out/"]}
      talks: {runner: command, command: [sh, -c, "cat in/*; cat in/* >&2; exit 3"]}
    rules:
      route: {when: tags.Modality == 'CT', action: route, targets: [pacs], notify: [TOLD]}
      fails: {when: tags.Modality == 'MR', action: route, targets: [broken], notify: [TOLD]}
      both: {when: tags.Modality == 'US', action: both, modules: [fine], targets: [pacs]}
      talks: {when: tags.Modality == 'PT', action: process, modules: [talks], notify: [TOLD]}
      tells: {when: tags.Modality == 'NM', action: notification, notify: [TOLD]}
      throws: {when: tags.Modality == 'OT', action: discard}
      unknown: {when: tags.SliceThickness > 5, action: route, targets: [pacs]}
      study:
        when: tags.Modality == 'CR'
        on: study
        study: {complete: received_series, series: "'x'", after: 1s, else: error}
        action: route
        targets: [pacs]
        notify: [TOLD]
      named:
        when: tags.Modality == 'DX'
        on: study
        study: {complete: received_series, series: "'SeriesDescription'", latecomers: hold}
        action: route
        targets: [pacs]
        notify: [TOLD]
      unwanted:
        when: tags.Modality == 'MG'
        on: study
        study: {complete: timeout, when: any(s.SeriesNumber == '1' for s in series)}
        action: notification
        notify: [TOLD]
"""

TOLD = '{channel: webhook, url: "http://127.0.0.1:9", events: [received, completed, error]}'


def marked(folder: Path, number: int, modality: str, **tags: str) -> Path:
    uid = f"{UID}.{number}"
    series = folder / "spool" / "incoming" / uid
    series.mkdir(parents=True)
    values = {
        **{keyword: f"{MARK}^{keyword}" for keyword in KEYWORDS},
        "SeriesInstanceUID": uid,
        "StudyInstanceUID": f"{UID}.1000.{number}",
        "SOPInstanceUID": f"{uid}.1",
        "FrameOfReferenceUID": f"{UID}.2000.{number}",
        "Modality": modality,
        **tags,
    }
    (series / f"{uid}#{uid}.1.dcm").write_text(f"{MARK} pixels")
    (series / f"{uid}#{uid}.1.tags").write_text(json.dumps(values))
    return series


def run(folder: Path, log_phi: bool) -> Played:
    text = dedent(RULES).replace("TOLD", TOLD)
    file = write_rules(folder, text + f"settings: {{log_phi: {str(log_phi).lower()}}}\n")
    for number, modality in enumerate(["CT", "MR", "US", "PT", "NM", "OT", "CR", "XA", "DX", "MG"]):
        marked(folder, number, modality)
    marked(folder, 20, "CT", StudyInstanceUID=f"../{MARK}/{UID}")
    marked(folder, 21, "CT", SeriesInstanceUID=f"../{MARK}/{UID}")
    marked(folder, 22, "CT", SOPInstanceUID="")
    broken = marked(folder, 23, "CT")
    next(broken.glob("*.tags")).write_text(f'{{"PatientName": "{MARK}"')
    bare = marked(folder, 24, "CT")
    next(bare.glob("*.tags")).unlink()
    error = marked(folder, 25, "CT")
    next(error.glob("*.tags")).rename(error / f"{error.name}#{UID}.error")
    twice = marked(folder, 26, "CT")
    for path in list(twice.iterdir()):
        (twice / f"{path.stem}-2{path.suffix}").write_text(path.read_text() + " ")
    (folder / "spool" / "incoming" / f"{UID}.30.dcm").write_text(f"{MARK} loose")
    hooks, registry = plugins_with()
    played = Played(folder, hooks=hooks)
    hooks.listen(played.events.append)
    first = later()
    for now in (first, first + timedelta(minutes=1)):  # the study is given up then
        with open_site(file, hooks, registry, repeat(now).__next__) as site:
            configure_logs(log_phi, as_json=True)
            Service(site).run_once()
        if not (folder / "spool" / "incoming" / f"{UID}.40").exists():  # one comes too late
            marked(folder, 40, "DX", StudyInstanceUID=f"{UID}.1000.8")
            marked(folder, 41, "CR", StudyInstanceUID=f"{UID}.1000.6", PatientID=f"{MARK} other")
    return played


def notifications(folder: Path) -> str:
    waiting = (folder / "spool" / "outbox").glob("*.json")
    dead = (folder / "spool" / "error").glob("*/delivery.json")
    return "\n".join(path.read_text() for path in (*waiting, *dead))


def test_no_word_of_a_patient_is_logged_or_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    played = run(tmp_path, log_phi=False)
    log = capfd.readouterr().err
    seen = {event.name for event in played.events}
    for event in [
        "series_received",
        "series_decided",
        "subject_planned",
        "subject_committed",
        "series_discarded",
        "subject_rejected",
        "study_joined",
        "study_completed",
        "latecomer_arrived",
        "trouble_noticed",
        "task_settled",
        "delivery_settled",
    ]:
        assert event in seen
        assert f'"event": "{event}"' in log
    told = notifications(tmp_path)
    assert len(told.splitlines()) > 10
    counting = Counting()
    for each in played.events:
        counting.note(each)
    for text in (log, told, page(counting)):
        lines = [line for line in text.splitlines() if MARK in line or UID in line]
        assert lines == []


def test_log_phi_lets_a_series_be_found_in_the_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, log_phi=True)
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    uids = {line.get("uid") for line in lines if line["event"] == "series_received"}
    assert {f"{UID}.{number}" for number in range(8)} <= uids
