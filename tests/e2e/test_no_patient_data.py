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
from click.testing import CliRunner

from mroute.cli import main
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

WHOM = "{{ patient_name }} {{ mrn }} {{ acc }}"
EVERYTHING = f"{{{{ event }}}} {WHOM} {{{{ details }}}} {{{{ facts.uid_type }}}}"
URL = 'channel: webhook, url: "http://127.0.0.1:9/'
TOLD = ", ".join(
    [
        f'{{{URL}default"}}',
        f'{{{URL}slack", preset: slack}}',
        f'{{{URL}teams", preset: teams}}',
        f'{{{URL}webex", preset: webex}}',
        f'{{{URL}object", payload: {{text: "{EVERYTHING}"}}}}',
        f"""{{{URL}json", payload: '{{"whom": {{{{ patient_name }}}}}}'}}""",
        f"""{{{URL}failing", payload: '[{{{{ mrn }}}}, {{{{ 1 // (event == "received") }}}}]'}}""",
        f'{{channel: email, to: [a@b.example], subject: "{WHOM}", body: "{EVERYTHING}"}}',
        "{channel: email, to: [c@d.example]}",
    ]
)
"""Every way to tell of every event; nobody listens, so all of it stays in the outbox."""


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


def run(folder: Path, log_phi: bool, patient_data: bool = False) -> Played:
    text = dedent(RULES).replace("TOLD", TOLD)
    smtp = "{host: 127.0.0.1, port: 9, security: none, sender: m@b.example}"
    own = f"{{patient_data: {str(patient_data).lower()}, smtp: {smtp}}}"
    settings = f"settings: {{log_phi: {str(log_phi).lower()}, notification: {own}}}\n"
    file = write_rules(folder, text + settings)
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


def notifications(folder: Path) -> list[str]:
    waiting = (folder / "spool" / "outbox").glob("*.json")
    dead = (folder / "spool" / "error").glob("*/delivery.json")
    return [path.read_text() for path in (*waiting, *dead)]


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
    assert len(told) > 100
    deliveries = [json.loads(each) for each in told]
    told_of = {(each["channel"], each["event"]) for each in deliveries}
    assert told_of == {
        (channel, event)
        for channel in ("webhook", "email")
        for event in ("received", "completed", "error")
    }
    listed = [shown(tmp_path, *arguments) for arguments in SHOWN]
    counting = Counting()
    for each in played.events:
        counting.note(each)
    for text in (log, *told, *listed, page(counting)):
        lines = [line for line in text.splitlines() if MARK in line or UID in line]
        assert lines == []


SHOWN = [("ls", "--queue", "outbox"), ("ls", "--queue", "outbox", "--json")]


def shown(folder: Path, *arguments: str) -> str:
    """What the command line shows of notifications."""
    result = CliRunner().invoke(main, ["spool", *arguments, "--spool", str(folder / "spool")])
    assert result.exit_code == 0
    return result.output


def test_a_patient_is_told_where_that_is_allowed_and_in_no_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, log_phi=False, patient_data=True)
    assert MARK not in capfd.readouterr().err
    told = [json.loads(each) for each in notifications(tmp_path)]
    assert all(UID not in json.dumps(each) for each in told)
    asked = [each for each in told if "/object" in each["destination"]]
    assert {each["event"] for each in asked} == {"received", "completed", "error"}
    studies = [each for each in asked if "study" in json.loads(each["body"])["text"].split()]
    assert studies
    for each in asked:
        known = each["event"] != "received" or each in studies
        names = [f"{MARK}^{keyword}" for keyword in ("PatientName", "PatientID", "AccessionNumber")]
        whom = " ".join(names if known else ["UNKNOWN"] * 3)
        assert whom in json.loads(each["body"])["text"]
    silent = ("default", "slack", "teams", "webex", "failing")
    for each in told:
        if each["destination"].rpartition("/")[2] in silent and each["event"] != "received":
            assert MARK not in json.dumps(each)
    mails = [each for each in told if each["options"].get("to") == "a@b.example"]
    assert any(MARK in each["options"]["subject"] for each in mails)


def test_log_phi_lets_a_series_be_found_in_the_log(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path, log_phi=True)
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    uids = {line.get("uid") for line in lines if line["event"] == "series_received"}
    assert {f"{UID}.{number}" for number in range(8)} <= uids
