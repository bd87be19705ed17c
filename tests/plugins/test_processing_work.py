from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import pytest

from mroute.api import (
    Done,
    Failed,
    HandOver,
    JsonObject,
    ModuleBase,
    Retry,
    RunnerType,
    Settlement,
    Task,
)
from mroute.testing import NOW, make_task, reopened, work_context
from mroute_dispatch.section import add_dispatching
from mroute_processing.work import process
from tests.faults import Killed, fault
from tests.hooks.fakes import plugin

Run: TypeAlias = Callable[[Path, Path, JsonObject], None]

IMAGES = {"1.dcm": b"one", "2.dcm": b"two"}
NO_JSON = "its result.json is no JSON: "


class Module(ModuleBase):
    """A module that is a function of the test, by its name."""

    runner: str = "here"
    does: str


def here(**functions: Run) -> ModuleType:
    """A runner that calls ``functions`` by the names that modules give."""

    def run(module: Module, inbox: Path, outbox: Path, settings: JsonObject) -> None:
        functions[module.does](inbox, outbox, settings)

    return plugin("mroute_runners", lambda: [RunnerType("here", Module, run)])


def images_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.dcm"))}


def copying(prefix: str = "", suffix: bytes = b"") -> Run:
    """A module that writes each image under its name with ``prefix``, with ``suffix`` added."""

    def run(inbox: Path, outbox: Path, settings: JsonObject) -> None:
        for name, content in images_in(inbox).items():
            (outbox / (prefix + name)).write_bytes(content + suffix)

    return run


def writing(files: Mapping[str, bytes]) -> Run:
    """A module that writes ``files`` whatever it gets."""

    def run(inbox: Path, outbox: Path, settings: JsonObject) -> None:
        for name, content in files.items():
            (outbox / name).write_bytes(content)

    return run


def make(folder: Path, *modules: str, retain: bool = False, targets: tuple[str, ...] = ()) -> Task:
    entries = [{"module_name": name, "retain_input_images": retain} for name in modules]
    sections: dict[str, Any] = {"process": entries if len(entries) > 1 else entries[0]}
    if targets:
        sections["dispatch"] = add_dispatching(targets, NOW)
    return make_task(folder / "task", sections, IMAGES)


def work(task: Task, **functions: Run) -> Settlement:
    modules = {name: Module(does=name) for name in functions}
    return process(reopened(task), work_context(reopened(task), here(**functions), modules=modules))


def names(task: Task) -> list[str]:
    return [path.name for path in task.files()]


def entries(task: Task) -> list[dict[str, Any]]:
    section: Any = reopened(task).content["process"]
    return section if isinstance(section, list) else [section]


def test_images_are_replaced_by_those_that_the_module_made(tmp_path: Path) -> None:
    task = make(tmp_path, "m")
    assert work(task, m=copying("new-", b"!")) == Done("2 images made by 'm'")
    assert images_in(task.folder) == {"new-1.dcm": b"one!", "new-2.dcm": b"two!"}
    assert names(task) == ["new-1.dcm", "new-2.dcm"]
    assert sorted(path.name for path in task.folder.iterdir()) == [*names(task), "task.json"]


def test_an_image_of_the_same_name_is_replaced_with_its_tags(tmp_path: Path) -> None:
    task = make(tmp_path, "m")
    work(task, m=writing({"1.dcm": b"new"}))
    assert images_in(task.folder) == {"1.dcm": b"new"}
    assert names(task) == ["1.dcm"]


def test_tags_that_the_module_wrote_come_with_its_images(tmp_path: Path) -> None:
    task = make(tmp_path, "m")
    work(task, m=writing({"1.dcm": b"new", "1.tags": b"{}", "9.tags": b"{}"}))
    assert names(task) == ["1.dcm", "1.tags"]
    assert (task.folder / "1.tags").read_bytes() == b"{}"


def test_each_module_gets_what_the_one_before_it_made(tmp_path: Path) -> None:
    task = make(tmp_path, "a", "b", targets=("pacs",))
    settlement = work(task, a=copying("a-", b"1"), b=copying("b-", b"2"))
    assert settlement == HandOver("outgoing", "2 images made by 'a', 'b'")
    assert images_in(task.folder) == {"b-a-1.dcm": b"one12", "b-a-2.dcm": b"two12"}


def test_a_module_gets_images_and_a_task_file_about_itself(tmp_path: Path) -> None:
    seen: list[Any] = []

    def look(inbox: Path, outbox: Path, settings: JsonObject) -> None:
        task_file = json.loads((inbox / "task.json").read_bytes())
        names = sorted(path.name for path in inbox.iterdir())
        seen.append((names, task_file["process"]["module_name"], settings, task_file["id"]))
        copying()(inbox, outbox, settings)

    task = make(tmp_path, "a", "b")
    section = [{**each, "settings": {"for": each["module_name"]}} for each in entries(task)]
    work_context(task).save("process", section)
    work(task, a=look, b=look)
    files = ["1.dcm", "2.dcm", "task.json"]
    assert seen == [(files, name, {"for": name}, task.id) for name in "ab"]


def test_a_module_cannot_change_the_images_that_it_gets(tmp_path: Path) -> None:
    def spoil(inbox: Path, outbox: Path, settings: JsonObject) -> None:
        (inbox / "1.dcm").write_bytes(b"spoiled")
        shutil.rmtree(inbox)

    task = make(tmp_path, "m")
    assert work(task, m=spoil) == Done("0 images made by 'm'")
    assert images_in(task.folder) == IMAGES


def test_what_a_module_found_out_is_kept_in_the_task_file(tmp_path: Path) -> None:
    task = make(tmp_path, "a", "b")
    result = writing({"result.json": b'{"lesions": 2}', "1.dcm": b"new"})
    assert work(task, a=result, b=copying()) == Done("1 images made by 'a', 'b'")
    assert [each["output"] for each in entries(task)] == [{"lesions": 2}, None]
    assert names(task) == ["1.dcm"]


def test_images_stay_where_no_others_are_made(tmp_path: Path) -> None:
    task = make(tmp_path, "m")
    before = names(task)
    assert work(task, m=writing({"result.json": b"3", "note.tags": b"{}"})) == Done(
        "0 images made by 'm'"
    )
    assert (names(task), images_in(task.folder)) == (before, IMAGES)
    assert entries(task)[0]["output"] == 3


def test_a_task_that_is_sent_fails_where_no_image_is_made(tmp_path: Path) -> None:
    task = make(tmp_path, "m", targets=("pacs",))
    assert work(task, m=writing({})) == Failed(
        "module 'm' made no images to be sent; the rule could say "
        "'retain_input_images: true' to send those that came",
        "processing",
    )
    assert images_in(task.folder) == IMAGES


def test_images_are_retained_where_the_rule_says_so(tmp_path: Path) -> None:
    task = make(tmp_path, "m", retain=True, targets=("pacs",))
    assert work(task, m=copying("new-")) == HandOver("outgoing", "2 images made by 'm'")
    assert names(task) == [
        "1.dcm", "1.tags", "2.dcm", "2.tags", "new-1.dcm", "new-2.dcm"
    ]  # fmt: skip


def test_a_task_that_retains_its_images_is_sent_without_new_ones(tmp_path: Path) -> None:
    task = make(tmp_path, "m", retain=True, targets=("pacs",))
    assert work(task, m=writing({})) == HandOver("outgoing", "0 images made by 'm'")
    assert images_in(task.folder) == IMAGES


def test_a_retained_image_and_a_new_one_of_its_name_are_both_kept(tmp_path: Path) -> None:
    task = make(tmp_path, "m", retain=True)
    made = {"1.dcm": b"new", "1.tags": b"{}", "1-1.dcm": b"other", "2.dcm": b"two"}
    assert work(task, m=writing(made)) == Done("2 images made by 'm'")
    assert images_in(task.folder) == {
        **IMAGES,
        "1-1.dcm": b"other",
        "1-2.dcm": b"new",
    }
    assert json.loads((task.folder / "1.tags").read_bytes()) != {}


def test_the_task_file_that_a_module_copied_is_no_image(tmp_path: Path) -> None:
    def copy_all(inbox: Path, outbox: Path, settings: JsonObject) -> None:
        shutil.copytree(inbox, outbox, dirs_exist_ok=True)
        (outbox / ".cache").mkdir()

    task = make(tmp_path, "m")
    before = {key: each for key, each in task.content.items() if key not in ("process", "journal")}
    assert work(task, m=copy_all) == Done("2 images made by 'm'")
    after = reopened(task).content
    assert {key: after[key] for key in before} == before
    assert names(task) == ["1.dcm", "2.dcm"]


def link(inbox: Path, outbox: Path, settings: JsonObject) -> None:
    (outbox / "1.dcm").symlink_to("/etc/passwd")


def link_folder(inbox: Path, outbox: Path, settings: JsonObject) -> None:
    outbox.rmdir()
    outbox.symlink_to("/etc")


def nest(inbox: Path, outbox: Path, settings: JsonObject) -> None:
    (outbox / "series").mkdir()


def fail(inbox: Path, outbox: Path, settings: JsonObject) -> None:
    (outbox / "1.dcm").write_bytes(b"half")
    raise RuntimeError("out of memory")


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (fail, "out of memory"),
        (link, "it left the link '1.dcm', expected files of its own"),
        (link_folder, "it left the link 'out', expected files of its own"),
        (nest, "it left 'series', which is no file, expected files only"),
        (
            writing({"reason.json": b"{}"}),
            "it left a file named 'reason.json', which no image can be called",
        ),
        (
            writing({"a\nb.dcm": b""}),
            "it left a file named 'a\\nb.dcm', which no image can be called",
        ),
        (
            writing({"\udcff.dcm": b""}),
            "it left a file named '\\udcff.dcm', which no image can be called",
        ),
        (
            writing({"result.json": b"{"}),
            NO_JSON + "Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
        ),
        (
            writing({"result.json": b"[NaN]"}),
            NO_JSON + "it has 'NaN', which JSON does not know",
        ),
        (
            writing({"result.json": b'"' + b"x" * 1_000_000 + b'"'}),
            "its result.json has more than 1000000 bytes",
        ),
    ],
)
def test_a_module_that_fails_leaves_the_images_as_they_were(
    tmp_path: Path, module: Run, reason: str
) -> None:
    task = make(tmp_path, "good", "bad", targets=("pacs",))
    before = names(task)
    assert work(task, good=copying("new-"), bad=module) == Failed(
        f"module 'bad' failed: {reason}", "processing"
    )
    assert (names(task), images_in(task.folder)) == (before, IMAGES)


def test_a_module_that_is_ended_with_mroute_is_run_again(tmp_path: Path) -> None:
    task = make(tmp_path, "ended")
    context = work_context(task, here(ended=fail), modules={"ended": Module(does="ended")})
    context.stop.set()
    settlement = process(task, context)
    assert isinstance(settlement, Retry)
    assert not settlement.counts
    assert work(reopened(task), ended=copying()) == Done("2 images made by 'ended'")


def test_a_task_that_was_put_back_goes_on_with_the_module_that_failed(tmp_path: Path) -> None:
    task, runs = make(tmp_path, "a", "b"), list[str]()

    def counting(inbox: Path, outbox: Path, settings: JsonObject) -> None:
        runs.append("a")
        copying("a-")(inbox, outbox, settings)

    assert isinstance(work(task, a=counting, b=fail), Failed)
    assert work(task, a=counting, b=copying("b-")) == Done("2 images made by 'a', 'b'")
    assert runs == ["a"]
    assert names(task) == ["b-a-1.dcm", "b-a-2.dcm"]
    assert [path.name for path in task.folder.iterdir() if path.is_dir()] == []


def test_what_a_module_that_failed_left_is_kept_without_its_input(tmp_path: Path) -> None:
    task = make(tmp_path, "m")
    work(task, m=fail)
    kept = [path for path in task.folder.rglob("*") if ".work/" in str(path) and path.is_file()]
    assert [str(path.relative_to(task.folder)) for path in kept] == [".work/failed-0/out/1.dcm"]


@pytest.mark.parametrize(
    ("section", "reason"),
    [
        ({"module_name": "gone"}, "module 'gone' is not configured any more"),
        ({"module_name": "odd"}, "module 'odd': no installed plugin has the runner 'elsewhere'"),
        ([], "the task has no module to run"),
        ({}, "the section 'process' of task.json is damaged: Field required"),
    ],
)
def test_a_task_without_a_module_to_run_fails(tmp_path: Path, section: Any, reason: str) -> None:
    task = make_task(tmp_path / "task", {"process": section}, IMAGES)
    modules = {"odd": Module(runner="elsewhere", does="nothing")}
    assert process(task, work_context(task, modules=modules)) == Failed(reason, "processing")
    assert images_in(task.folder) == IMAGES


def test_each_module_that_is_done_is_in_the_journal(tmp_path: Path) -> None:
    task = make(tmp_path, "a", "b")
    work(task, a=copying(), b=fail)
    journal: Any = reopened(task).content["journal"]
    assert [each["outcome"] for each in journal[1:]] == ["module 'a' is done"]


@pytest.mark.parametrize("retain", [False, True])
def test_work_that_is_killed_anywhere_comes_to_the_same_end(tmp_path: Path, retain: bool) -> None:
    functions = {
        "a": copying("a-", b"1"),
        "b": writing({"1.dcm": b"new", "result.json": b"{}", "a-2.dcm": b"two1", "2.dcm": b"two"}),
    }
    undisturbed = make(tmp_path / "whole", "a", "b", retain=retain, targets=("pacs",))
    expected = work(undisturbed, **functions)
    images = images_in(undisturbed.folder)
    assert len(images) == (4 if retain else 3)
    for number in count():
        task = make(tmp_path / str(number), "a", "b", retain=retain, targets=("pacs",))
        try:
            with fault(task.folder, at=number):
                work(task, **functions)
        except Killed:
            present = {path.read_bytes() for path in task.folder.rglob("*.dcm")}
            assert present >= set(IMAGES.values()) or present >= set(images.values())
            assert work(task, **functions) == expected
            assert images_in(task.folder) == images
            assert names(task) == names(undisturbed)
        else:
            break
    assert number > 40


def test_a_full_disk_is_waited_for(tmp_path: Path) -> None:
    reasons = list[str]()
    for number in count():
        task = make(tmp_path / str(number), "m")
        with fault(task.folder, number, lambda: OSError(28, "No space left on device")) as trap:
            settlement = work(task, m=copying("new-"))
        # A program that finds the disk full fails; mroute itself tries again.
        if isinstance(settlement, Retry | Failed):
            reasons.append(settlement.reason)
            assert list(task.folder.rglob("in")) == []
            assert isinstance(work(task, m=copying("new-")), Done)
        assert images_in(task.folder) == {"new-1.dcm": b"one", "new-2.dcm": b"two"}
        if trap.seen <= number:
            break
    assert len(reasons) > 15
    assert {"No space left on device" in reason for reason in reasons} == {True}
    assert {reason.startswith("module 'm' failed: ") for reason in reasons} == {True, False}


def test_what_mroute_keeps_in_the_section_stays(tmp_path: Path) -> None:
    task = make(tmp_path, "a", "b")
    kept = {"retries": 1, "next_retry_at": "2026-01-01T12:15:00+00:00"}
    first, second = entries(task)
    work_context(task).save("process", [{**first, **kept}, second])
    work(task, a=copying(), b=copying())
    assert {key: entries(task)[0][key] for key in kept} == kept
