from __future__ import annotations

import json
import os
import select
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import JsonValue, ValidationError

import mroute_processing
from mroute.api import Done, Failed
from mroute.testing import make_task, work_context
from mroute_processing import command, tail
from mroute_processing.command import CommandModule, ModuleFailedError, environment, run_command
from mroute_processing.work import process


def python(program: str, **options: object) -> CommandModule:
    """A module that is a Python program."""
    return CommandModule.model_validate(
        {"runner": "command", "command": [sys.executable, "-c", program], **options}
    )


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """The folders of a module: what it gets and what it leaves."""
    inbox, outbox = tmp_path / "in", tmp_path / "out"
    inbox.mkdir()
    outbox.mkdir()
    return inbox, outbox


def test_a_program_finds_its_folders_under_every_name(folders: tuple[Path, Path]) -> None:
    program = """
import json, os
json.dump(dict(os.environ, cwd=os.getcwd()), open(os.environ["MROUTE_OUT_DIR"] + "/env", "w"))
"""
    inbox, outbox = folders
    run_command(python(program, environment={"GPU": "1"}), inbox, outbox, {})
    found = json.loads((outbox / "env").read_text())
    assert found["cwd"] == str(outbox.parent)
    assert found["GPU"] == "1"
    for name in ("MROUTE_IN_DIR", "MERCURE_IN_DIR", "MONAI_INPUTPATH", "HOLOSCAN_INPUT_PATH"):
        assert found[name] == str(inbox)
    for name in ("MROUTE_OUT_DIR", "MERCURE_OUT_DIR", "MONAI_OUTPUTPATH", "HOLOSCAN_OUTPUT_PATH"):
        assert found[name] == str(outbox)


def test_nothing_of_mroutes_own_environment_reaches_a_program_but_what_it_needs() -> None:
    inherited = {"PATH": "/bin", "LANG": "C", "DATABASE_PASSWORD": "secret", "AWS_KEY": "secret"}
    found = environment(python(""), Path("/in"), Path("/out"), inherited)
    assert {name: found[name] for name in ("PATH", "LANG")} == {"PATH": "/bin", "LANG": "C"}
    assert "secret" not in found.values()
    assert set(found) - {"PATH", "LANG"} == {
        name for name, path in found.items() if path in ("/in", "/out")
    }


def test_there_is_no_shell(folders: tuple[Path, Path]) -> None:
    module = CommandModule(runner="command", command=("echo", "$HOME; touch out/x"))
    run_command(module, *folders, {})
    assert (folders[1].parent / "module.log").read_text() == "$HOME; touch out/x\n"
    assert list(folders[1].iterdir()) == []


def test_a_failure_quotes_the_last_lines_of_the_output(folders: tuple[Path, Path]) -> None:
    program = """
import sys
for number in range(9): print("line", number, flush=True)
sys.exit("no such model\\n\\n")
"""
    with pytest.raises(ModuleFailedError) as caught:
        run_command(python(program), *folders, {})
    assert str(caught.value) == (
        f"'{sys.executable}' ended with exit code 1:\nline 5\nline 6\nline 7\nline 8\nno such model"
    )
    assert (folders[1].parent / "module.log").read_text().startswith("line 0\n")


def test_a_program_that_ends_itself_by_a_signal_is_named_with_it(
    folders: tuple[Path, Path],
) -> None:
    with pytest.raises(ModuleFailedError, match=r"was ended by signal 11 \(Segmentation fault\)$"):
        run_command(python("import os; os.kill(os.getpid(), 11)"), *folders, {})


def test_a_program_that_is_not_there_is_named(folders: tuple[Path, Path]) -> None:
    module = CommandModule(runner="command", command=("no-such-program",))
    with pytest.raises(ModuleFailedError) as caught:
        run_command(module, *folders, {})
    assert str(caught.value) == (
        "'no-such-program' cannot be started: "
        "[Errno 2] No such file or directory: 'no-such-program'"
    )


def shell(script: str, seconds: float = 600) -> CommandModule:
    """A module that is a shell script, which starts faster than Python; it has so many seconds."""
    module = CommandModule(runner="command", command=("sh", "-c", script))
    return module.model_copy(update={"timeout": timedelta(seconds=seconds)})


def has_ended(pid: int) -> bool:
    """Whether a process ends within ten seconds: one that was killed takes a moment to be gone."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 10)[0])
    finally:
        os.close(descriptor)


# A child in the background whose id is known.
WITH_CHILD = "sleep 600 & echo $! > pid; "


def test_a_program_that_takes_too_long_is_ended_with_its_children(
    folders: tuple[Path, Path],
) -> None:
    with pytest.raises(ModuleFailedError) as caught:
        run_command(shell(WITH_CHILD + "echo working; wait", 0.5), *folders, {})
    assert str(caught.value) == "'sh' did not end within 0:00:00.500000:\nworking"
    assert has_ended(int((folders[1].parent / "pid").read_text()))


def test_a_program_that_ignores_the_request_to_end_is_ended(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "_GRACE", 0.1)
    module = shell("trap '' TERM; echo $$ > pid; sleep 600", 0.5)
    with pytest.raises(ModuleFailedError, match=r"did not end within 0:00:00\.500000$"):
        run_command(module, *folders, {})
    assert has_ended(int((folders[1].parent / "pid").read_text()))


def test_a_program_that_takes_too_long_may_clean_up(folders: tuple[Path, Path]) -> None:
    module = shell("trap 'echo stopped; exit' TERM; echo ready; sleep 600 & wait", 0.5)
    with pytest.raises(ModuleFailedError, match=r"0:00:00\.500000:\nready\nstopped$"):
        run_command(module, *folders, {})


def test_what_a_program_leaves_running_is_ended(folders: tuple[Path, Path]) -> None:
    run_command(shell(WITH_CHILD), *folders, {})
    assert has_ended(int((folders[1].parent / "pid").read_text()))


def test_the_log_keeps_the_end_of_much_output(folders: tuple[Path, Path]) -> None:
    program = """
for number in range(500_000): print("line", number)
print("last")
"""
    run_command(python(program), *folders, {})
    log = (folders[1].parent / "module.log").read_bytes()
    assert len(log) == tail.KEPT
    assert log.endswith(b"line 499999\nlast\n")


def test_output_that_is_no_text_is_quoted_all_the_same(folders: tuple[Path, Path]) -> None:
    program = "import os, sys; os.write(1, b'bad \\xff byte'); sys.exit(3)"
    with pytest.raises(ModuleFailedError, match="ended with exit code 3:\nbad \ufffd byte"):
        run_command(python(program), *folders, {})


@pytest.mark.parametrize(
    "options", [{"command": []}, {"command": ["x"], "timeout": "soon"}, {"command": "x"}]
)
def test_a_module_that_cannot_be_run_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CommandModule.model_validate({"runner": "command", **options})


COPY = """
import json, os, pathlib
inbox, outbox = (pathlib.Path(os.environ[f"MROUTE_{each}_DIR"]) for each in ("IN", "OUT"))
settings = json.loads((inbox / "task.json").read_text())["process"]["settings"]
for path in inbox.glob("*.dcm"):
    (outbox / path.name).write_bytes(path.read_bytes() + settings["add"].encode())
(outbox / "result.json").write_text('{"ok": true}')
"""


def test_programs_are_chained_by_the_queue(tmp_path: Path) -> None:
    modules = {"m": python(COPY)}
    section: JsonValue = [{"module_name": "m", "settings": {"add": each}} for each in ("1", "2")]
    task = make_task(tmp_path / "task", {"process": section})
    context = work_context(task, mroute_processing, modules=modules)
    assert process(task, context) == Done("1 images made by 'm', 'm'")
    assert (task.folder / "1.dcm").read_bytes() == b"image 112"


def test_a_program_that_fails_fails_the_task_with_its_last_words(tmp_path: Path) -> None:
    modules = {"m": python("raise SystemExit('no GPU found')")}
    task = make_task(tmp_path / "task", {"process": {"module_name": "m"}})
    context = work_context(task, mroute_processing, modules=modules)
    assert process(task, context) == Failed(
        f"module 'm' failed: '{sys.executable}' ended with exit code 1:\nno GPU found",
        "processing",
    )
    [log] = task.folder.rglob("module.log")
    assert log.read_text() == "no GPU found\n"
    assert os.fspath(log.relative_to(task.folder)) == ".work/failed-0/module.log"
