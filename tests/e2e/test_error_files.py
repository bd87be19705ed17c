"""What receivers could not parse, and files that lie loose in ``incoming/``.

Knows what an administrator finds in ``error/``, and that nothing is lost whatever interrupts the
move. Does not know how it is done.
"""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from mroute.router import Routing, route_error_files, route_series
from mroute.service import open_site
from mroute.spool.locks import try_lock
from mroute.testing import write_dicom
from tests.e2e.sites import ROUTE, Played, drop, later, plugins_with, run_once, write_rules
from tests.faults import Killed, fault


def incoming(root: Path, **contents: str) -> None:
    """Files in ``incoming/``; ``__`` in a name stands for a dot, ``error_`` for that folder."""
    folder = root / "spool" / "incoming"
    (folder / "error").mkdir(parents=True, exist_ok=True)
    for key, content in contents.items():
        name = key.replace("__", ".")
        path = folder / "error" / name[6:] if name.startswith("error_") else folder / name
        path.write_text(content)


def letters(root: Path) -> list[dict[str, Any]]:
    """What each dead letter says, and its files by name."""
    found = []
    for path in (root / "spool" / "error").glob("*/reason.json"):
        files = {each.name: each.read_text("latin-1") for each in path.parent.iterdir()}
        files.pop("task.json")
        found.append({**json.loads(files.pop("reason.json")), "content": files})
    return found


def left(root: Path) -> set[str]:
    return {path.name for path in (root / "spool" / "incoming").rglob("*") if path.is_file()}


def test_error_files_go_with_their_images_into_one_dead_letter_with_one_alert(
    tmp_path: Path,
) -> None:
    """Scenario 79: ``x.error`` with ``x.dcm`` or ``x``, in ``incoming/`` or its ``error/``."""
    incoming(
        tmp_path,
        a__dcm="image a",
        a__error="E: cannot parse\n\nW: really\x1b[31m\nthird\nfourth\n",
        b="image b",
        b__error="no preamble",
        b__tags='{"Modality": "CT"}',
        error_c__dcm="image c",
        error_c__dcm__error="",
        d__error="where is my image?",
    )
    played = run_once(tmp_path, ROUTE)
    (letter,) = letters(tmp_path)
    assert letter["content"] == {
        "a.dcm": "image a",
        "a.error": "E: cannot parse\n\nW: really\x1b[31m\nthird\nfourth\n",
        "b": "image b",
        "b.error": "no preamble",
        "b.tags": '{"Modality": "CT"}',
        "c.dcm": "image c",
        "c.dcm.error": "",
        "d.error": "where is my image?",
    }
    assert letter["stage"] == "receiving"
    assert letter["files"] == [
        {"files": ["a.dcm", "a.error"], "reason": "E: cannot parse; W: really [31m; third"},
        {"files": ["b", "b.error", "b.tags"], "reason": "no preamble"},
        {"files": ["d.error"], "reason": "where is my image?"},
        {"files": ["error/c.dcm", "error/c.dcm.error"], "reason": "the receiver gave no reason"},
    ]
    assert letter["reason"].startswith("4 incoming files cannot be routed: 'a.dcm': E: cannot")
    (alert,) = played.facts("subject_rejected")
    assert alert["because"].startswith("4 incoming files cannot be routed; see 'reason.json' in")
    assert left(tmp_path) == set()


def test_an_image_that_the_receiver_holds_is_left_for_a_later_pass(tmp_path: Path) -> None:
    """Scenario 80."""
    incoming(tmp_path, a__dcm="image a", a__error="no", a__error__lock="", b__error="b")
    run_once(tmp_path, ROUTE)
    assert left(tmp_path) == {"a.dcm", "a.error", "a.error.lock"}
    (tmp_path / "spool" / "incoming" / "a.error.lock").unlink()
    run_once(tmp_path)
    assert {frozenset(letter["content"]) for letter in letters(tmp_path)} == {
        frozenset({"b.error"}),
        frozenset({"a.dcm", "a.error"}),
    }


def test_a_folder_for_errors_that_merely_exists_says_nothing(tmp_path: Path) -> None:
    """Scenarios 3 and 81: it is no series, and nobody is told of it."""
    drop(tmp_path, "1.1")
    drop(tmp_path, "1.2.error")
    incoming(tmp_path)
    played = run_once(tmp_path, ROUTE)
    assert set(played.images("pacs")) == {"1.1#0"}
    told = [Path(each["where"]).name for each in played.facts("arrival_ignored")]
    assert told == ["1.2.error"]
    assert played.facts("subject_rejected") == played.facts("trouble_noticed") == []


def test_files_of_one_name_never_overwrite_each_other(tmp_path: Path) -> None:
    for number in range(2):
        incoming(
            tmp_path,
            a__dcm=f"loose {number}",
            a__error="1",
            error_a__dcm=f"inside {number}",
            error_a__error="2",
            task__json="not mroute's",
        )
        run_once(tmp_path, ROUTE)
    images = Played(tmp_path).images("spool/error")
    assert images == Counter(["loose 0", "inside 0", "loose 1", "inside 1"])
    one, _ = letters(tmp_path)
    assert set(one["content"]) == {
        "a.dcm",
        "a.error",
        "2-a.dcm",
        "2-a.error",
        "kept.task.json",
    }


def test_what_is_still_being_written_waits(tmp_path: Path) -> None:
    incoming(tmp_path, a__dcm="image a", a__error="no")
    rules = ROUTE.replace("series_complete_after: 0s", "series_complete_after: 1h")
    run_once(tmp_path, rules)
    assert left(tmp_path) == {"a.dcm", "a.error"}
    for name in ("a.dcm", "a.error"):
        os.utime(tmp_path / "spool" / "incoming" / name, (1, 1))
    run_once(tmp_path)
    assert left(tmp_path) == set()


def test_a_loose_image_is_received_into_the_folder_of_its_series(tmp_path: Path) -> None:
    tags = {"SeriesInstanceUID": "1.2", "SOPInstanceUID": "1.2.3", "SenderAET": "CT1"}
    incoming(tmp_path, any__dcm="an image", any__tags=json.dumps(tags))
    real = tmp_path / "spool" / "incoming" / "IM0001"
    write_dicom(real, SeriesInstanceUID="1.9", SOPInstanceUID="1.9.1")
    content = real.read_bytes()
    played = run_once(tmp_path, ROUTE)
    assert left(tmp_path) == set()
    received = {path.name: path.read_bytes() for path in (tmp_path / "pacs").rglob("*.dcm")}
    assert received == {"1.2#1.2.3.dcm": b"an image", "1.9#1.9.1.dcm": content}
    (kept,) = (tmp_path / "pacs").rglob("1.2#1.2.3.tags")
    assert json.loads(kept.read_text()) == tags
    assert played.facts("arrival_ignored") == []


def test_loose_files_that_are_no_images_join_the_lot(tmp_path: Path) -> None:
    incoming(
        tmp_path,
        x__dcm="no image",
        y="evil",
        y__tags='{"SeriesInstanceUID": "../x", "SOPInstanceUID": "1"}',
        z__tags="{}",
        error_q__dcm="came without a word",
        a__error="no",
    )
    run_once(tmp_path, ROUTE)
    (letter,) = letters(tmp_path)
    said = {tuple(each["files"]): each["reason"] for each in letter["files"]}
    assert set(said) == {
        ("a.error",),
        ("x.dcm",),
        ("y", "y.tags"),
        ("z.tags",),
        ("error/q.dcm",),
    }
    assert "DICOM" in said[("x.dcm",)]
    assert "SeriesInstanceUID" in said[("y", "y.tags")]
    assert said[("z.tags",)] == "tags without an image beside them"
    assert said[("error/q.dcm",)] == "a receiver put it there and did not say why"
    assert len(letter["content"]) == 6


def test_what_must_stay_is_told_once(tmp_path: Path) -> None:
    incoming(tmp_path, **{".hidden": "1", "n" * 201: "2"})
    folder = tmp_path / "spool" / "incoming"
    (folder / "link.dcm").symlink_to("/etc/hostname")
    os.mkfifo(folder / "pipe.error")
    (folder / "error" / "sub").mkdir()
    with routing_on(tmp_path) as (routing, played):
        for _ in range(2):
            passes(routing)
        told = sorted(Path(each["where"]).name for each in played.facts("arrival_ignored"))
    assert told == sorted([".hidden", "n" * 201, "link.dcm", "pipe.error", "sub"])
    assert letters(tmp_path) == []


def test_a_receiver_s_error_file_in_a_series_folder_takes_its_image_along(tmp_path: Path) -> None:
    folder = drop(tmp_path, "1.1", 3)
    (folder / "1.1#1.dcm.error").write_text("truncated")
    (folder / "lost.error").write_text("no image\n")
    played = run_once(tmp_path, ROUTE)
    assert set(played.images("pacs")) == {"1.1#0", "1.1#2"}
    found = {letter["reason"]: set(letter["content"]) for letter in letters(tmp_path)}
    assert found == {
        "the receiver could not parse '1.1#1.dcm':\ntruncated": {
            "1.1#1.dcm",
            "1.1#1.dcm.error",
            "1.1#1.tags",
        },
        "the receiver could not parse 'lost.error':\nno image": {"lost.error"},
    }


@contextmanager
def routing_on(root: Path) -> Iterator[tuple[Routing, Played]]:
    write_rules(root, ROUTE)
    hooks, registry = plugins_with()
    played = Played(root)
    hooks.listen(played.events.append)
    with open_site(root / "mroute.yaml", hooks, registry, later) as site:
        yield Routing(lambda: site), played


def passes(routing: Routing) -> None:
    stop = threading.Event()
    route_series(routing, stop)
    route_error_files(routing, stop)


@pytest.mark.parametrize("error", [Killed, lambda: OSError(28, "No space left on device")])
def test_nothing_is_lost_or_doubled_wherever_the_move_is_interrupted(
    tmp_path: Path, error: Any
) -> None:
    at, reached, alerts = 0, True, 0
    with routing_on(tmp_path) as (routing, played):
        while reached:
            incoming(tmp_path, a__dcm=f"a {at}", a__error="no", error_a__dcm=f"b {at}")
            with fault(tmp_path / "spool", at, error) as trap, suppress(Killed, OSError):
                passes(routing)
            reached, at = trap.seen > at, at + 1
            routing.deferred.clear()
            passes(routing)
            passes(routing)  # what was not reached by the one before
            assert left(tmp_path) == set()
            staged = {path.name for path in (tmp_path / "spool" / ".staging").iterdir()}
            assert staged == {"locks"}
    assert at > 15
    images = Counter(f"{letter} {number}" for letter in "ab" for number in range(at))
    assert played.images("spool/error") == images
    alerts = len(played.facts("subject_rejected"))
    assert at <= alerts <= at + 5  # told again where it died before the lot was forgotten


def test_only_one_router_works_on_lots(tmp_path: Path) -> None:
    incoming(tmp_path, a__error="no")
    with routing_on(tmp_path) as (routing, _):
        other = try_lock(tmp_path / "spool" / ".staging" / "locks" / "errors.lock")
        assert other is not None
        passes(routing)
        assert left(tmp_path) == {"a.error"}
        other.release()
        passes(routing)
    assert left(tmp_path) == set()
