"""``mroute targets`` and ``mroute spool halt``: what an administrator does about targets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mroute.cli import main
from mroute.testing import make_task, write_dicom
from mroute_dicom.receiving.acceptance import Refusal
from mroute_dispatch.section import add_dispatching
from tests.e2e.sites import run_once, spool_of, write_rules
from tests.e2e.test_dispatching import START
from tests.interop.certificates import new_authority
from tests.interop.images import CT, MR
from tests.interop.scripted import Peer, scripted_peer

RULES = """\
version: 1
targets:
  pacs: {{type: dicom, host: 127.0.0.1, port: {port}, aet: PACS{more}}}
  archive: {{type: folder, path: archive}}
  outgoing: {{type: dummy}}
rules: {{}}
"""


@pytest.fixture
def peer() -> Iterator[Peer]:
    with scripted_peer() as found:
        yield found


def site(root: Path, port: int = 104, more: str = "") -> str:
    rules = RULES.format(port=port, more=f", {more}" if more else "")
    run_once(root, rules)
    return str(root / "mroute.yaml")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def waiting(root: Path, *targets: str, **kinds: str) -> None:
    """A task that waits for targets, with an image of each SOP class."""
    task = make_task(
        spool_of(root).queue("outgoing") / "t1",
        {"dispatch": add_dispatching(targets, START)},
        images={},
        task_id="t1",
    )
    for name, sop_class in kinds.items():
        write_dicom(task.folder / f"{name}.dcm", SOPClassUID=sop_class)


def test_a_target_that_takes_what_waits_is_fine(tmp_path: Path, peer: Peer) -> None:
    file = site(tmp_path, peer.port)
    waiting(tmp_path, "pacs", ct=CT, mr=MR)
    checked = run("targets", "check", "-c", file, "pacs")
    assert (checked.exit_code, checked.output) == (0, "pacs: fine\n")
    assert {kind for asked in peer.asked for kind, _ in asked.contexts.values()} == {
        "1.2.840.10008.1.1",
        CT,
        MR,
    }
    assert peer.stored == {}


def test_each_planted_mistake_is_found(tmp_path: Path, peer: Peer) -> None:
    file = site(tmp_path, peer.port)
    waiting(tmp_path, "pacs", ct=CT, mr=MR)
    peer.refused_classes = frozenset({MR})
    only_mr = run("targets", "check", "-c", file, "pacs")
    assert only_mr.exit_code == 1
    assert only_mr.output == (
        f"pacs: 'PACS' at 127.0.0.1:{peer.port} takes no MR Image Storage in "
        "Explicit VR Little Endian\n"
    )
    peer.refused_classes, peer.only = frozenset(), frozenset({"1.2.840.10008.1.2"})
    syntax = run("targets", "check", "-c", file, "pacs")
    assert "takes no CT Image Storage in Explicit VR Little Endian" in syntax.output
    peer.refusal = Refusal.CALLED
    title = run("targets", "check", "-c", file, "pacs")
    assert "for good: it is not called 'PACS'; see 'aet'" in title.output


def test_a_wrong_port_is_found(tmp_path: Path) -> None:
    with scripted_peer() as gone:
        pass
    checked = run("targets", "check", "-c", site(tmp_path, gone.port), "pacs", "--json")
    (row,) = json.loads(checked.output)
    assert checked.exit_code == 1
    assert row["name"] == "pacs"
    assert row["complaints"] == [
        f"'PACS' at 127.0.0.1:{gone.port} cannot be reached: Connection refused"
    ]


def test_certificates_that_expire_and_secrets_that_are_missing(tmp_path: Path, peer: Peer) -> None:
    authority = new_authority(tmp_path / "ca")
    soon, soon_key = authority.sign("soon", days=3)
    late, late_key = authority.sign("late", days=-1)
    for certificate, key, said in (
        (soon, soon_key, "soon.pem' expires on "),
        (late, late_key, "late.pem' has expired on "),
    ):
        tls = f"tls: {{certificate: {certificate}, key: {key}}}"
        checked = run("targets", "check", "-c", site(tmp_path, peer.port, tls), "pacs")
        assert said in checked.output
        assert "no secure connection" in checked.output  # the peer has no TLS
    locked, locked_key = authority.sign("locked", password="swordfish")
    tls = f"tls: {{certificate: {locked}, key: {locked_key}, key_password: {{env: NO_SUCH_ONE}}}}"
    missing = run("targets", "check", "-c", site(tmp_path, peer.port, tls), "pacs")
    assert "the variable 'NO_SUCH_ONE', which should hold a secret, is not set" in missing.output
    tls = f"tls: {{certificate: {tmp_path / 'none.pem'}}}"
    nowhere = run("targets", "check", "-c", site(tmp_path, peer.port, tls), "pacs")
    assert "none.pem' cannot be read: No such file" in nowhere.output


def test_files_that_are_given_are_asked_about(tmp_path: Path, peer: Peer) -> None:
    file = site(tmp_path, peer.port)
    folder = tmp_path / "images"
    folder.mkdir()
    write_dicom(folder / "image.dcm", SOPClassUID=MR)
    (folder / "image.tags").write_text("{}")
    (folder / "task.json").write_text("{}")
    peer.refused_classes = frozenset({MR})
    checked = run("targets", "check", "-c", file, "pacs", "--files", str(folder))
    assert "takes no MR Image Storage" in checked.output
    (folder / "image.dcm").write_text("no image")
    strange = run("targets", "check", "-c", file, "pacs", "--files", str(folder / "image.dcm"))
    assert "'image.dcm' cannot be sent: " in strange.output
    gone = run("targets", "check", "-c", file, "--files", str(tmp_path / "gone"))
    assert (gone.exit_code, "gone' is not there" in gone.output) == (2, True)


def test_other_types_are_checked_by_themselves(tmp_path: Path) -> None:
    file = site(tmp_path)
    (tmp_path / "archive").touch()
    checked = run("targets", "check", "-c", file, "archive", "outgoing")
    assert checked.output == (
        f"archive: '{tmp_path / 'archive'}' is not a folder\noutgoing: fine\n"
    )
    unknown = run("targets", "check", "-c", file, "nobody")
    assert unknown.exit_code == 2
    assert "there is no target 'nobody'" in unknown.output


def test_targets_are_listed_with_what_waits(tmp_path: Path) -> None:
    file = site(tmp_path)
    waiting(tmp_path, "pacs", "archive", ct=CT)
    run("spool", "halt", "-c", file, "archive")
    rows = json.loads(run("targets", "list", "-c", file, "--json").output)
    assert [(each["name"], each["type"], each["state"], each["waiting"]) for each in rows] == [
        ("pacs", "dicom", "up", 1),
        ("archive", "folder", "halted", 1),
        ("outgoing", "dummy", "up", 0),
    ]


def test_a_target_is_halted_and_resumed(tmp_path: Path) -> None:
    file = site(tmp_path)
    waiting(tmp_path, "archive", ct=CT)
    assert run("spool", "halt", "-c", file, "archive").output == (
        "target 'archive' is halted; what is in hand is finished\n"
    )
    assert "is halted already" in run("spool", "halt", "-c", file, "archive").output
    (row,) = map(json.loads, run("spool", "ls", "-c", file, "--json").output.splitlines())
    assert (row["state"], row["because"]) == ("halted", "target 'archive' is halted")
    run_once(tmp_path)
    assert not (tmp_path / "archive").exists()
    assert "target 'archive' goes on" in run("spool", "resume", "-c", file).output
    assert run("spool", "resume", "-c", file, "archive").output == (
        "target 'archive' was not halted\n"
    )
    run_once(tmp_path)
    assert (tmp_path / "archive" / "t1" / "ct.dcm").exists()


def test_a_name_that_two_things_have_is_asked_for(tmp_path: Path) -> None:
    file = site(tmp_path)
    both = run("spool", "halt", "-c", file, "outgoing")
    assert both.exit_code == 2
    assert "say 'queue:outgoing' or 'target:outgoing'" in both.output
    assert "queue 'outgoing' is halted" in run("spool", "halt", "-c", file, "queue:outgoing").output
    assert (spool_of(tmp_path).queue("outgoing") / "HALT").exists()
    wrong = run("spool", "halt", "-c", file, "archiv")
    assert wrong.exit_code == 2
    assert "did you mean 'archive'?" in wrong.output


def test_all_queues_are_halted_and_resumed(tmp_path: Path) -> None:
    file = site(tmp_path)
    halted = run("spool", "halt", "-c", file).output
    assert halted.count("is halted") == 2
    resumed = run("spool", "resume", "-c", file).output
    assert resumed.count("goes on") == 2
    assert not list(spool_of(tmp_path).root.glob("*/HALT"))


def test_a_rule_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    write_rules(tmp_path, "version: 2\n")
    assert run("targets", "list", "-c", str(tmp_path / "mroute.yaml")).exit_code == 3
