"""What ``mroute explain`` says is what a run does: the same decision, and the same plan."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mroute.cli import main
from mroute.events import SeriesDecided, SubjectPlanned, SubjectRejected
from tests.e2e.sites import HEAD, drop, run_once, write_rules

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
