"""Claims: taken once, by rename, and taken over when their process died.

Knows the folders of the spool. Does not know what is done with a claim.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mroute.models import Durability, ForcedCompletion
from mroute.site import utc_now
from mroute.spool.claim import Claim, claim_series, claim_study, open_claims
from mroute.spool.files import Files, delete
from mroute.spool.goneon import recall
from mroute.spool.layout import JOINING_PREFIX, MANIFEST_FILE, Spool
from mroute.spool.runs import registered, this_run
from mroute.testing import NOW
from mroute.types import GoneOn, StudyEnd, UidType, Verdict
from tests.faults import Killed, fault
from tests.unit.spool.conftest import UID, MakeSeries, left_in_staging

HOLD = """
import sys, pathlib
from mroute.spool.claim import claim_series
from mroute.spool.layout import Spool
from mroute.spool.files import Files
from mroute.spool.runs import registered, this_run
from mroute.site import utc_now
spool = Spool(pathlib.Path(sys.argv[1]))
run = this_run(pathlib.Path("rules"), utc_now())
with registered(spool, Files(), run, {}):
    print(claim_series(spool, run.id, sys.argv[2]).id, flush=True)
    sys.stdin.read()
"""


def test_a_claim_renames_the_series_away(spool: Spool, make_series: MakeSeries) -> None:
    make_series()
    claim = claim_series(spool, "a", UID)
    assert claim is not None
    assert list(spool.incoming.iterdir()) == []
    assert len(list(claim.source.glob("*.dcm"))) == 3


def test_a_series_that_is_gone_leaves_no_claim_behind(spool: Spool) -> None:
    assert claim_series(spool, "a", UID) is None
    assert left_in_staging(spool) == []


def test_a_claim_belongs_to_its_run_as_long_as_that_lives(
    spool: Spool, files: Files, make_series: MakeSeries
) -> None:
    make_series()
    run = this_run(Path("rules"), utc_now())
    with registered(spool, files, run, {}):
        claim = claim_series(spool, run.id, UID)
        assert claim is not None
        assert list(open_claims(spool, "other")) == []
        (own,) = open_claims(spool, run.id)
        assert own == claim
    (taken,) = open_claims(spool, "other")
    assert (taken.id, taken.name, taken.kind) == (claim.id, UID, UidType.SERIES)
    assert not claim.folder.exists()
    assert len(list(taken.source.glob("*.dcm"))) == 3


def test_only_one_of_two_takes_a_claim_over(spool: Spool, make_series: MakeSeries) -> None:
    for uid in ("1.1", "1.2"):
        make_series(uid)
        assert claim_series(spool, "dead", uid) is not None
    one, other = open_claims(spool, "one"), open_claims(spool, "other")
    taken = [next(one).name, next(other).name, *(claim.name for claim in one)]
    assert sorted(taken) == ["1.1", "1.2"]


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
        assert list(open_claims(spool, "other")) == []
        process.send_signal(signal.SIGKILL)
        process.wait()
        (taken,) = open_claims(spool, "other")
    assert taken.id == claim_id
    assert len(list(taken.source.glob("*.dcm"))) == 3


def test_a_claim_half_released_says_by_its_manifest_that_the_rest_is_committed(
    spool: Spool, make_series: MakeSeries, tmp_path: Path
) -> None:
    at, killed = 0, True
    while killed:
        make_series(uid := f"1.{at}")
        claim = claim_series(spool, "a", uid)
        assert claim is not None
        (claim.folder / MANIFEST_FILE).touch()
        (claim.folder / "task-1").mkdir()
        (claim.folder / "task-1" / "staged").touch()
        for path in claim.source.iterdir():
            path.unlink()
        killed = False
        with fault(tmp_path, at):
            try:
                claim.release()
            except Killed:
                killed = True
        left = any(claim.folder.glob("source-*")) or (claim.folder / "task-1").exists()
        assert not left or (claim.folder / MANIFEST_FILE).exists(), f"killed at operation {at}"
        at += 1
    assert at > 5


def test_a_release_keeps_what_is_in_the_folder(spool: Spool, make_series: MakeSeries) -> None:
    make_series(images=1)
    claim = claim_series(spool, "a", UID)
    assert claim is not None
    with pytest.raises(OSError, match="not empty"):
        claim.release()
    assert sorted(path.suffix for path in claim.source.iterdir()) == [".dcm", ".tags"]


def test_a_release_keeps_what_no_commit_has_put_into_the_claim(spool: Spool) -> None:
    kept = spool.staging / "series-7d5c0d1e-9a5a-4a53-8f0e-2f1f0c9e4b11" / "source" / UID / "1.dcm"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(b"image of a version with other claims")
    (claim,) = open_claims(spool, "a")
    with pytest.raises(OSError, match="no commit has put there"):
        claim.release()
    assert [path.name for path in claim.folder.rglob("*.dcm")] == ["1.dcm"]


def test_a_series_named_like_a_mark_of_a_move_is_a_series(
    spool: Spool, make_series: MakeSeries
) -> None:
    """Made by ``cp -r 1.2 1.2.copied``, say; taken over, it would be deleted as moved."""
    for name in ("1.2.copied", ".copied-1.2", "source-1.2"):
        make_series(name)
        assert claim_series(spool, "dead", name) is not None
        (taken,) = open_claims(spool, "a")
        assert taken.name == name
        assert len(list(taken.source.glob("*.dcm"))) == 3
        taken.source.rename(spool.root / name)
        taken.release()


def make_study(spool: Spool) -> Path:
    folder = spool.study("1.2.3", "spine")
    folder.mkdir()
    (folder / "1#1.dcm").write_bytes(b"image")
    return folder


def take_study(spool: Spool, name: str, judge: Callable[[bool], Verdict]) -> Claim | None:
    return claim_study(spool, Files(Durability.PROCESS), "a", name, judge, NOW)


def test_a_study_is_taken_only_when_complete(spool: Spool) -> None:
    folder = make_study(spool)
    assert take_study(spool, folder.name, lambda joining: Verdict(False, "not yet")) is None
    assert recall(spool, folder.name) is None
    forced = ForcedCompletion.DISCARD
    claim = take_study(spool, folder.name, lambda joining: Verdict(True, "too late", forced))
    assert claim is not None
    assert claim.kind is UidType.STUDY
    assert not folder.exists()
    gone = GoneOn(claim.id, NOW, "too late", forced, "", StudyEnd.DISCARD)
    assert recall(spool, folder.name) == gone


def test_who_judges_a_study_is_told_whether_a_series_is_joining(spool: Spool) -> None:
    folder = make_study(spool)
    told = []

    def judge(joining: bool) -> Verdict:
        told.append(joining)
        return Verdict(not joining, "")

    (folder / f"{JOINING_PREFIX}x").touch()
    assert take_study(spool, folder.name, judge) is None
    assert folder.exists()
    (folder / f"{JOINING_PREFIX}x").unlink()
    assert take_study(spool, folder.name, judge) is not None
    assert told == [True, False]


def test_a_study_that_is_gone_is_not_remembered_to_have_gone_on(spool: Spool) -> None:
    folder = make_study(spool)

    def judge(joining: bool) -> Verdict:
        delete(folder)
        return Verdict(True, "")

    assert take_study(spool, folder.name, judge) is None
    assert recall(spool, folder.name) is None
    assert take_study(spool, folder.name, judge) is None
