"""What ``mroute explain`` says is what a run does: the same decision, and the same plan."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pydicom.data import get_testdata_file

from mroute.cli import main
from mroute.events import SeriesDecided, SubjectPlanned, SubjectRejected
from tests.e2e.sites import HEAD, drop, run_once, write_rules

CT = str(get_testdata_file("CT_small.dcm"))
MR = str(get_testdata_file("MR_small.dcm"))
RULES = (
    HEAD
    + """\
rules:
  ct: {when: tags.Modality == 'CT', action: route, targets: [pacs, archive]}
  thin: {when: tags.SliceThickness < 2, action: route, targets: [archive]}
  off: {when: "True", action: discard, disabled: true}
  study: {when: tags.Modality == 'MR', on: study, study: {complete: timeout}, action: route,
          targets: [pacs]}
  screenshot: {when: tags.Modality == 'OT', action: discard}
  late: {when: tags.Modality == 'OT', action: route, targets: [pacs]}
  tell: {when: tags.Modality == 'US', action: notification,
         notify: [{channel: webhook, url: "http://127.0.0.1:9/"}]}
  rest: {when: has(PatientID), action: route, targets: [silent], fallback: true}
"""
)
SERIES = {
    "1.1": {"Modality": "CT", "SliceThickness": "1"},
    "1.2": {"Modality": "CT"},
    "1.3": {"Modality": "MR", "StudyInstanceUID": "1", "SliceThickness": "1"},
    "1.4": {"Modality": "MR"},
    "1.5": {"Modality": "OT"},
    "1.6": {"Modality": "US"},
    "1.7": {"PatientID": "1"},
    "1.8": {},
    "1.9": {"Modality": "MR", "StudyInstanceUID": "../1"},
}


@pytest.mark.parametrize(("uid", "tags"), SERIES.items())
@pytest.mark.parametrize("forced", [None, "study", "screenshot", "off"])
def test_a_run_does_what_was_explained(
    tmp_path: Path, uid: str, tags: dict[str, str], forced: str | None
) -> None:
    rules = write_rules(tmp_path, RULES)
    folder = drop(tmp_path, uid, 2, **tags)
    if forced:
        (folder / ".force-rule").write_text(forced)
    explained = CliRunner().invoke(main, ["explain", "-c", str(rules), "--json", str(folder)])
    assert (explained.exit_code, explained.stderr) == (0, "")
    said: dict[str, Any] = json.loads(explained.stdout)

    events = run_once(tmp_path).events
    for event in (each for each in events if isinstance(each, SeriesDecided)):
        assert said["triggered"] == list(event.triggered)
        assert said["discarded_by"] == event.discarded_by
        assert said["fallback"] == event.fallback
    planned = next(each for each in events if isinstance(each, SubjectPlanned))
    assert [each["queue"] for each in said["plan"] if "queue" in each] == list(planned.queues)
    assert sum("study" in each for each in said["plan"]) == planned.studies
    assert sum("channel" in each for each in said["plan"]) == planned.deliveries
    rejected = [each.because for each in events if isinstance(each, SubjectRejected)]
    assert [each["reason"] for each in said["plan"] if each.get("queue") == "error"] == rejected


def explained(root: Path) -> tuple[int, list[dict[str, Any]]]:
    """The exit code and the answers for the folder that is dropped in ``a``, and for its parent."""
    folder = root / "spool" / "incoming" / "a"
    arguments = ["explain", "-c", str(root / "mroute.yaml"), "--json", str(folder)]
    result = CliRunner().invoke(main, arguments)
    return result.exit_code, [json.loads(line) for line in result.stdout.splitlines()]


def errors(said: dict[str, Any]) -> list[str]:
    return sorted(each["reason"] for each in said["plan"] if each.get("queue") == "error")


def test_a_folder_whose_only_image_has_damaged_tags_goes_to_error(tmp_path: Path) -> None:
    write_rules(tmp_path, RULES)
    folder = tmp_path / "spool" / "incoming" / "a"
    folder.mkdir(parents=True)
    shutil.copy(CT, folder / "i.dcm")
    (folder / "i.tags").write_text("{bro")
    code, [said] = explained(tmp_path)
    assert (code, said["triggered"], said["rules"]["ct"]["state"]) == (1, [], "undecided")
    [reason] = errors(said)
    assert reason.startswith("'i.tags' is no JSON")
    assert len(said["plan"]) == 1
    assert run_once(tmp_path).reasons() == [reason]


def test_what_a_folder_in_incoming_holds_besides_its_series_goes_to_error(tmp_path: Path) -> None:
    write_rules(tmp_path, RULES)
    folder = tmp_path / "spool" / "incoming" / "a"
    folder.mkdir(parents=True)
    shutil.copy(CT, folder)
    shutil.copy(MR, folder)
    (folder / "alone.tags").write_text("{}")
    code, [said] = explained(tmp_path)
    assert (code, said["triggered"]) == (0, ["ct"])
    reasons = errors(said)
    assert reasons == [
        "'MR_small.dcm' is of another series than 'CT_small.dcm'; each needs a folder of its own",
        "'alone.tags' has no image beside it",
    ]
    assert run_once(tmp_path).reasons() == reasons
