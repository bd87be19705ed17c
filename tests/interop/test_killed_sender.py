"""mroute is killed while it sends: nothing is missed, and the task says what may be there twice."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

from mroute_dicom.sending.instances import read_instance
from tests.benchmarks.series import write_series
from tests.interop.images import data_sets
from tests.interop.peers import free_port, mroute, until
from tests.interop.scripted import scripted_peer

pytestmark = pytest.mark.interop

RULES = """\
version: 1
timing: {{series_complete_after: 0s}}
settings:
  durability: process
  dicom:
    receiver: {{port: {port}, bind: 127.0.0.1, processes: 1}}
targets:
  pacs: {{type: dicom, host: 127.0.0.1, port: {pacs}, aet: PACS}}
rules:
  all: {{when: 'True', action: route, targets: [pacs]}}
"""


def test_killed_in_the_middle_it_sends_the_rest_and_says_which_may_be_there_twice(
    tmp_path: Path,
) -> None:
    series = write_series(tmp_path / "series", images=8)
    sent = data_sets(read_instance(path) for path in series.iterdir())
    site, port = tmp_path / "site", free_port()
    with scripted_peer() as peer:
        rules = RULES.format(port=port, pacs=peer.port)
        peer.answer = lambda number: "hang" if number == 5 else 0
        (site / "spool/incoming").mkdir(parents=True)
        series.rename(site / "spool/incoming/series")
        with mroute(site, rules, port) as process:
            until(lambda: peer.images == 5, "the fifth image")
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
        assert len(peer.stored) == 4
        peer.answer = lambda number: 0
        with mroute(site, rules, port):
            done = site / "spool/success"
            until(lambda: list(done.glob("*/task.json")), "the end of the task")
        assert peer.stored == sent
        (task,) = (json.loads(path.read_text()) for path in done.glob("*/task.json"))
        interrupted = [each for each in task["journal"] if each["action"] == "interrupted"]
        assert len(interrupted) == 1
        assert (
            "images that are not confirmed are sent again and may arrive twice"
            in (interrupted[0]["outcome"])
        )
        assert task["dispatch"]["status"]["pacs"]["state"] == "complete"
        assert len(task["dispatch"]["status"]["pacs"]["instances"]) == 8
