"""``mroute doctor``: a site that is well, and sites with one planted mistake each.

Knows what a person and a program see, and that nothing is changed. Does not know how it is found.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import pytest
from click.testing import CliRunner, Result

from mroute.api import (
    HealthCheck,
    HealthContext,
    Shipment,
    TargetBase,
    TargetType,
    WorkContext,
    hookimpl,
)
from mroute.cli import main
from mroute.cli.installed import Installed
from mroute.doctor import examination
from mroute.models import Durability
from mroute.spool.files import Files
from mroute.spool.runs import registered, this_run
from tests.e2e.sites import drop, plugins_with, run_once, spool_of, write_rules
from tests.interop.peers import HOST, PROGRAM, free_port, running, until

RULES = """\
version: 1
targets:
  archive: {type: folder, path: archive}
rules:
  all: {when: "True", action: route, targets: [archive]}
"""

AT_ONCE = RULES.replace("version: 1\n", "version: 1\ntiming: {series_complete_after: 0s}\n")

Say = Callable[[HealthContext], Iterable[str]]


class TapeTarget(TargetBase):
    type: Literal["tape"]


class Tape:
    """A plugin with a target type and a health check that say what a test wants."""

    def __init__(self, target: Callable[[], Iterable[str]], look: Say) -> None:
        self.target, self.look = target, look

    def send(self, shipment: Shipment, target: TapeTarget, context: WorkContext) -> None:
        """Send nothing."""

    def check(self, name: str, target: TapeTarget, files: Sequence[Path]) -> Any:
        return self.target()

    @hookimpl
    def mroute_target_types(self) -> list[TargetType]:
        return [TargetType("tape", TapeTarget, self.send, self.check)]

    @hookimpl
    def mroute_health_checks(self) -> list[HealthCheck]:
        return [HealthCheck("reels", self.look)]


@pytest.fixture
def with_plugins(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has the command line find planted plugins beside the default ones."""

    def plant(**planted: object) -> None:
        plugins = Installed(*plugins_with(**planted))
        monkeypatch.setattr("mroute.cli.installed.installed", lambda: plugins)

    plant()
    return plant


@pytest.fixture(autouse=True)
def _default_plugins(with_plugins: Callable[..., None]) -> None:
    """Whatever else is installed here plays no part."""


def doctor(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["doctor", *map(str, arguments)])


def found(file: Path) -> tuple[int, dict[str, list[dict[str, str]]]]:
    """The exit code, and what each check says."""
    result = doctor("-c", file, "--json")
    rows: dict[str, list[dict[str, str]]] = {}
    for row in json.loads(result.stdout):
        assert list(row) == ["check", "state", "said", "advice"]
        rows.setdefault(row.pop("check"), []).append(row)
    return result.exit_code, rows


def problems(file: Path) -> dict[str, str]:
    """What is said of each problem, with what to do."""
    _, rows = found(file)
    return {
        check: f"{row['said']} -> {row['advice']}"
        for check, several in rows.items()
        for row in several
        if row["state"] == "problem"
    }


def site(root: Path, rules: str = RULES) -> Path:
    """A site on which mroute has run."""
    run_once(root, rules)
    return root / "mroute.yaml"


def content(root: Path) -> dict[str, tuple[bytes, int]]:
    """Every file with its content and its time."""
    return {
        str(path): (
            path.read_bytes() if path.is_file() else b"",
            0 if path.is_dir() else path.stat().st_mtime_ns,
        )
        for path in sorted(root.rglob("*"))
    }


def test_a_site_that_is_well(tmp_path: Path) -> None:
    file = site(tmp_path)
    before = content(tmp_path)
    code, rows = found(file)
    assert (code, problems(file)) == (0, {})
    assert list(rows) == [
        *("plugins", "rule file", "spool", "file system", "space", "clock", "permissions"),
        *("owners", "runs", "waiting", "target archive", "dicom/receiver", "dicom/dcmtk"),
    ]
    assert content(tmp_path) == before


def test_a_person_sees_a_line_for_each_and_what_to_do_below(tmp_path: Path) -> None:
    file = site(tmp_path)
    (tmp_path / "archive").touch()
    shown = doctor("-c", file)
    assert shown.exit_code == 1
    lines = shown.output.splitlines()
    at = lines.index(f"✗ target archive  '{tmp_path / 'archive'}' is not a folder")
    assert lines[at + 1].strip().startswith(f"-> 'mroute targets check -c {file} archive'")
    assert "✓ rule file       " in shown.output
    assert lines[-1].startswith("1 problem, ")


def test_without_a_rule_file_plugins_and_clock_are_looked_at() -> None:
    shown = doctor("--json")
    rows = json.loads(shown.output)
    assert shown.exit_code == 0
    assert {row["check"] for row in rows} == {"plugins", "rule file", "clock"}
    assert rows[1]["said"] == "none was named"


def test_a_command_line_that_is_wrong() -> None:
    assert doctor("--what").exit_code == 2


def test_a_spool_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    file = write_rules(tmp_path, RULES)
    code, rows = found(file)
    assert (code, rows["spool"][0]["state"]) == (0, "remark")
    assert "is not there yet" in rows["spool"][0]["said"]
    assert [path.name for path in tmp_path.iterdir()] == ["mroute.yaml"]


def test_rules_that_cannot_be_loaded_do_not_keep_the_spool_from_being_looked_at(
    tmp_path: Path,
) -> None:
    file = site(tmp_path)
    file.write_text(RULES.replace("route,", "rout,").replace("True", "tags.Modality = 'CT'"))
    code, rows = found(file)
    assert code == 3
    (row,) = rows["rule file"]
    assert row["said"].startswith(f"'{file}' cannot be loaded: 2 errors; the first: ")
    assert row["advice"].startswith(f"'mroute validate-rules {file}' shows what and where; ")
    assert rows["spool"][0]["state"] == "ok"
    assert "target archive" not in rows
    file.write_text("version: [")
    code, rows = found(file)
    assert (code, set(rows)) == (3, {"plugins", "rule file", "clock"})
    file.unlink()
    assert found(file)[0] == 3


def test_warnings_are_a_remark(tmp_path: Path) -> None:
    code, rows = found(site(tmp_path, RULES.replace('"True"', "\"tags.Modality == 'MRI'\"")))
    (row,) = rows["rule file"]
    assert (code, row["state"]) == (0, "remark")
    assert row["said"].endswith("is loaded, with 1 warning")


class Again:
    """Contributes what the plugin 'dicom' does."""

    @hookimpl
    def mroute_health_checks(self) -> list[HealthCheck]:
        return [HealthCheck("receiver", lambda context: ())]


class Raises:
    @hookimpl
    def mroute_queues(self) -> Iterator[Any]:
        raise ValueError("no queues today")


def test_plugins_that_cannot_be_used(tmp_path: Path, with_plugins: Callable[..., None]) -> None:
    file = site(tmp_path)
    with_plugins(again=Again())
    code, rows = found(file)
    assert code == 3
    assert [each["state"] for each in (*rows["plugins"], *rows["rule file"])] == [
        "problem",
        "remark",
    ]
    assert (
        "the health check 'receiver', which plugin 'again' contributes already"
        in (rows["plugins"][0]["said"])
    )
    assert rows["plugins"][0]["advice"] == "disable one of them with MROUTE_DISABLE_PLUGINS"
    assert rows["spool"][0]["state"] == "ok"
    with_plugins(raises=Raises())
    code, rows = found(file)
    assert code == 1
    assert "raised ValueError: no queues today" in rows["plugins"][0]["said"]


def test_a_plugin_that_cannot_be_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = site(tmp_path)
    hooks, registry = plugins_with()
    (first, *others) = registry.plugins
    broken = replace(registry, plugins=(replace(first, error="ImportError: no"), *others))
    monkeypatch.setattr("mroute.cli.installed.installed", lambda: Installed(hooks, broken))
    code, rows = found(file)
    assert code == 3
    assert rows["plugins"][0]["said"] == f"plugin '{first.name}' cannot be loaded: ImportError: no"
    assert f"MROUTE_DISABLE_PLUGINS={first.name}" in rows["plugins"][0]["advice"]


def test_a_spool_that_cannot_be_used(tmp_path: Path) -> None:
    file = site(tmp_path)
    shutil.rmtree(spool_of(tmp_path).outbox)
    spool_of(tmp_path).outbox.touch()
    assert found(file)[0] == 4
    assert problems(file)["spool"].endswith("move away what has the name of a folder")


def test_a_run_on_another_host(tmp_path: Path) -> None:
    file, spool = site(tmp_path), spool_of(tmp_path)
    there = replace(this_run(file, datetime.now(UTC)), host="scan-2", boot_id="another")
    with registered(spool, Files(Durability.PROCESS), there, {}):
        assert found(file)[0] == 4
        assert "on host 'scan-2'" in problems(file)["runs"]


def test_the_gravest_problem_makes_the_exit_code(tmp_path: Path) -> None:
    file, spool = site(tmp_path), spool_of(tmp_path)
    (tmp_path / "archive").touch()
    assert found(file)[0] == 1
    spool.outbox.rmdir()
    spool.outbox.touch()
    assert found(file)[0] == 4
    file.write_text(RULES.replace("route,", "rout,"))
    assert found(file)[0] == 3


def test_permissions_and_owners(tmp_path: Path) -> None:
    file, spool = site(tmp_path), spool_of(tmp_path)
    file.chmod(0o646)
    assert problems(file) == {
        "permissions": f"'{file}' can be written by everybody -> run 'chmod o-w {file}'"
    }
    file.chmod(0o644)
    if os.geteuid() == 0:
        os.chown(spool.root, 54_321, 54_321)
        assert "cannot move or read" in problems(file)["owners"]


def test_a_clock_that_was_set_back(tmp_path: Path) -> None:
    file = site(tmp_path)
    image = next(drop(tmp_path, "1.2.3").glob("*.dcm"))
    os.utime(image, (4e9, 4e9))
    assert "the clock was set back" in problems(file)["clock"]


def test_what_waits_is_a_remark(tmp_path: Path) -> None:
    drop(tmp_path, "1.2.3")
    (tmp_path / "archive").touch()
    file = site(tmp_path, AT_ONCE)
    (tmp_path / "archive").unlink()
    CliRunner().invoke(main, ["spool", "halt", "-c", str(file), "archive"])
    code, rows = found(file)
    assert (code, {row["state"] for row in rows["waiting"]}) == (0, {"remark"})
    said = [row["said"] for row in rows["waiting"]]
    assert said[0] == "the target 'archive' is halted"
    assert said[1].startswith("waiting: 1, the oldest since ")


def test_a_port_that_is_taken_and_room_that_is_missing(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as other:
        port = other.getsockname()[1]
        receiver = f"{{port: {port}, bind: {HOST}, min_free: 0}}"
        file = site(tmp_path, f"{RULES}settings: {{dicom: {{receiver: {receiver}}}}}\n")
        told = problems(file)
    assert f"taken by process {os.getpid()}" in told["dicom/receiver"]
    assert told["dicom/receiver"].endswith("-> stop that one, or give the receiver another 'port'")
    assert problems(file) == {}
    write_rules(tmp_path, file.read_text().replace("min_free: 0", "min_free: 1000000000"))
    assert "the receiver refuses images -> make room" in problems(file)["dicom/receiver"]


def test_a_back_end_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = f"pacs: {{type: dicom, host: {HOST}, port: 104, aet: PACS, backend: dcmtk}}"
    file = site(tmp_path, RULES.replace("targets:\n", f"targets:\n  {target}\n"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert problems(file)["dicom/dcmtk"] == (
        "'dcmsend' is not installed, and asked for by 'pacs' -> install DCMTK, or leave 'backend' "
        "out"
    )


# What plugins do


TAPE = RULES.replace("targets:\n", "targets:\n  tape: {type: tape}\n")


def nothing(*_: object) -> Iterable[str]:
    return ()


def test_what_plugins_say_is_told_with_what_to_do(
    tmp_path: Path, with_plugins: Callable[..., None]
) -> None:
    seen: list[HealthContext] = []

    def look(context: HealthContext) -> Iterator[str]:
        seen.append(context)
        yield "no reel is in; put one in; or two"
        yield "it smells"

    with_plugins(tape=Tape(lambda: ["the tape is torn; mend it"], look))
    code, rows = found(write_rules(tmp_path, TAPE))
    assert code == 1
    assert rows["tape/reels"] == [
        {"state": "problem", "said": "no reel is in", "advice": "put one in; or two"},
        {"state": "problem", "said": "it smells", "advice": ""},
    ]
    assert [(row["said"], row["advice"]) for row in rows["target tape"]] == [
        ("the tape is torn", "mend it")
    ]
    (context,) = seen
    assert list(context.targets) == ["tape", "archive"]
    assert (context.spool, context.durability) == (tmp_path / "spool", Durability.POWER)
    assert {"dicom", "notification"} <= set(context.settings)
    assert context.runs == ()


def raising(error: BaseException) -> Callable[..., Any]:
    def check(*_: object) -> Any:
        raise error

    return check


@pytest.mark.parametrize(
    ("check", "told"),
    [
        (raising(RuntimeError("broken\x1b[31m")), "it raised RuntimeError: broken"),
        (raising(SystemExit(7)), "it raised SystemExit: 7"),
        (raising(KeyboardInterrupt()), "it raised KeyboardInterrupt"),
        (lambda *_: None, "it raised TypeError: 'NoneType' object is not iterable"),
        (lambda *_: "one sentence", "one sentence"),
        (lambda *_: [3], "3"),
    ],
)
def test_whatever_a_plugin_does_no_traceback_reaches_anybody(
    tmp_path: Path,
    with_plugins: Callable[..., None],
    capfd: pytest.CaptureFixture[str],
    check: Callable[..., Any],
    told: str,
) -> None:
    with_plugins(tape=Tape(check, check))
    file = write_rules(tmp_path, TAPE)
    told_of = problems(file)
    assert set(told_of) == {"target tape", "tape/reels"}
    assert all(told in each for each in told_of.values())
    shown = doctor("-c", file)
    assert (shown.exit_code, shown.stderr, "\x1b" in shown.output) == (1, "", False)
    assert capfd.readouterr() == ("", "")
    checked = CliRunner().invoke(main, ["targets", "check", "-c", str(file), "tape"])
    assert (checked.exit_code, told in checked.output) == (1, True)


def test_a_target_that_hangs_holds_up_no_other(
    tmp_path: Path, with_plugins: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()

    def hang(*_: object) -> list[str]:
        released.wait(60)
        return []

    with_plugins(tape=Tape(hang, nothing))
    monkeypatch.setattr(examination.examine, "__defaults__", (0.5,))
    file = write_rules(tmp_path, TAPE)
    try:
        _, rows = found(file)
    finally:
        released.set()
    (hanging,) = rows["target tape"]
    assert hanging["said"].endswith("there was no answer within 0.5 s")
    assert hanging["advice"].startswith("'mroute targets check -c ")
    assert [rows[each][0]["state"] for each in ("target archive", "spool", "tape/reels")] == [
        "ok",
        "ok" if (tmp_path / "spool").exists() else "remark",
        "ok",
    ]


def test_targets_that_take_their_time_take_it_at_the_same_time(
    tmp_path: Path, with_plugins: Callable[..., None]
) -> None:
    meeting = threading.Barrier(2, timeout=30)

    def meet(*_: object) -> list[str]:
        meeting.wait()
        return []

    with_plugins(tape=Tape(meet, nothing))
    two = TAPE.replace("archive: {type: folder, path: archive}", "other: {type: tape}")
    write_rules(tmp_path, two.replace("[archive]", "[other]"))
    file = tmp_path / "mroute.yaml"
    checked = CliRunner().invoke(main, ["targets", "check", "-c", str(file)])
    assert (checked.exit_code, checked.output) == (0, "tape: fine\nother: fine\n")
    assert problems(file) == {}


# Beside a running mroute


def test_it_is_safe_beside_a_running_mroute_and_knows_it(tmp_path: Path) -> None:
    port = free_port()
    receiver = f"{{port: {port}, bind: {HOST}, min_free: 0, processes: 1}}"
    file = write_rules(tmp_path, f"{AT_ONCE}settings: {{dicom: {{receiver: {receiver}}}}}\n")
    command = [sys.executable, "-c", PROGRAM, "run", "-c", str(file)]
    with running(command, port, tmp_path / "log") as process:
        for number in range(5):
            whole = drop(tmp_path / "scanner", f"1.2.{number}")
            whole.rename(spool_of(tmp_path).incoming / whole.name)
            code, rows = found(file)
            assert (code, problems(file)) == (0, {})
            assert [row["state"] for row in rows["runs"]] == ["ok"]
            assert f"process {process.pid} on host" in rows["runs"][0]["said"]
        archive = tmp_path / "archive"
        until(lambda: len(list(archive.glob("*/*.dcm"))) == 5, "what the images are sent to")
    assert "doctor" not in (tmp_path / "log").read_text()
    assert list(spool_of(tmp_path).queue("error").iterdir()) == []
    assert not list((tmp_path / "spool").rglob(".doctor-*"))
