"""Claims: taken once, by rename, and taken over when their process died.

Knows the folders of the spool. Does not know what is done with a claim.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from mroute.spool.claim import JOINING_PREFIX, abandoned, claim_series, claim_study
from mroute.spool.layout import Spool
from mroute.types import UidType
from tests.unit.spool.conftest import UID, MakeSeries

HOLD = """
import sys, pathlib
from mroute.spool.claim import claim_series
from mroute.spool.layout import Spool
claim = claim_series(Spool(pathlib.Path(sys.argv[1])), sys.argv[2])
print(claim.id, flush=True)
sys.stdin.read()
"""


def test_a_claim_renames_the_series_away(spool: Spool, make_series: MakeSeries) -> None:
    make_series()
    claim = claim_series(spool, UID)
    assert claim is not None
    assert list(spool.incoming.iterdir()) == []
    assert len(list(claim.source.glob("*.dcm"))) == 3


def test_a_series_that_is_gone_leaves_no_claim_behind(spool: Spool) -> None:
    assert claim_series(spool, UID) is None
    assert [path.name for path in spool.staging.iterdir()] == ["locks"]


def test_a_held_claim_is_not_taken_over(spool: Spool, make_series: MakeSeries) -> None:
    make_series()
    claim = claim_series(spool, UID)
    assert claim is not None
    assert list(abandoned(spool)) == []
    claim.set_aside()
    (taken,) = abandoned(spool)
    assert (taken.id, taken.name, taken.kind) == (claim.id, UID, UidType.SERIES)


def test_the_claim_of_a_killed_process_is_taken_over_at_once(
    spool: Spool, make_series: MakeSeries
) -> None:
    make_series()
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, spool.root, UID],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        claim_id = process.stdout.readline().strip()
        assert list(abandoned(spool)) == []
        process.send_signal(signal.SIGKILL)
        process.wait()
        (taken,) = abandoned(spool)
    assert taken.id == claim_id
    assert len(list(taken.source.glob("*.dcm"))) == 3


def test_a_release_interrupted_in_the_middle_is_finished(
    spool: Spool, make_series: MakeSeries
) -> None:
    make_series()
    claim = claim_series(spool, UID)
    assert claim is not None
    claim.folder.rename(claim.folder.with_name(f"released-{claim.folder.name}"))
    assert list(abandoned(spool)) == []
    assert [path.name for path in spool.staging.iterdir()] == ["locks"]


def make_study(spool: Spool) -> Path:
    folder = spool.study("1.2.3", "spine")
    folder.mkdir()
    (folder / "1#1.dcm").write_bytes(b"image")
    return folder


def test_a_study_is_taken_only_when_complete(spool: Spool) -> None:
    folder = make_study(spool)
    assert claim_study(spool, folder.name, lambda: False) is None
    claim = claim_study(spool, folder.name, lambda: True)
    assert claim is not None
    assert claim.kind is UidType.STUDY
    assert not folder.exists()


def test_a_study_that_is_being_joined_is_not_taken(spool: Spool) -> None:
    folder = make_study(spool)
    (folder / f"{JOINING_PREFIX}x").touch()
    assert claim_study(spool, folder.name, lambda: True) is None
    assert folder.exists()
