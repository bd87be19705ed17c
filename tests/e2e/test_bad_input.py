"""Bad input of every kind: one clear message, nothing lost, and the other series go on.

Knows what people and machines get wrong. Does not know how it is found out.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mroute.api import hookimpl
from mroute.cli import main
from mroute.errors import ConfigurationError
from mroute.service import open_site
from tests.e2e.sites import HEAD, ROUTE, drop, plugins_with, run_once, spool_of, write_rules


def mroute(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


def test_a_folder_that_is_no_task_does_not_go_to_error_unnoticed(tmp_path: Path) -> None:
    """A task of an older version, say, whose task file says less."""
    folder = tmp_path / "spool" / "outgoing" / "old"
    folder.mkdir(parents=True)
    (folder / "1.dcm").write_text("image")
    (folder / "task.json").write_text('{"id": "old", "info": {}, "journal": []}')
    played = run_once(tmp_path, ROUTE)
    assert played.images("spool/error") == {"image": 1}
    (settled,) = played.facts("task_settled")
    assert (settled["task_id"], settled["settlement"]) == ("old", "failed")
    assert [settled["detail"]] == played.reasons()


def test_a_name_that_leaves_no_room_for_others_holds_up_no_series(tmp_path: Path) -> None:
    folder = drop(tmp_path, "1.1")
    for name in ("." + "h" * 253, "l" * 246 + ".dcm", "m" * 255):
        (folder / name).write_text(name[:2])
    (folder / f"{'l' * 246}.tags").write_bytes((folder / "1.1#0.tags").read_bytes())
    played = run_once(tmp_path, ROUTE)
    assert played.images("pacs") == {"1.1#0": 1}
    assert played.facts("series_deferred") == []
    letters = [path.parent for path in (tmp_path / "spool" / "error").glob("*/reason.json")]
    files = {path.name[:2] for letter in letters for path in letter.iterdir()}
    assert {"ke", "ll", "mm"} <= files
    assert len(letters) == 3


def test_a_file_that_is_no_dicom_goes_to_error_and_the_series_goes_on(tmp_path: Path) -> None:
    folder = drop(tmp_path, "1.1", 2)
    (folder / "notes.dcm").write_text("this is no image")
    drop(tmp_path, "1.2")
    played = run_once(tmp_path, ROUTE)
    assert set(played.images("pacs")) == {"1.1#0", "1.1#1", "1.2#0"}
    assert set(played.images("spool/error")) == {"this is no image"}
    (reason,) = played.reasons()
    assert "'notes.dcm'" in reason
    assert "DICOM" in reason


def test_folders_and_links_in_a_series_go_to_error_with_all_that_is_in_them(
    tmp_path: Path,
) -> None:
    folder = drop(tmp_path, "1.1")
    (folder / "sub" / "deep").mkdir(parents=True)
    (folder / "sub" / "deep" / "lost.dcm").write_text("nearly lost")
    (folder / "link.dcm").symlink_to(folder / "1.1#0.dcm")
    played = run_once(tmp_path, ROUTE)
    assert set(played.images("pacs")) == {"1.1#0"}
    (kept,) = (tmp_path / "spool" / "error").rglob("lost.dcm")
    assert kept.read_text() == "nearly lost"
    entries = (tmp_path / "spool" / "error").glob("*/*")
    assert [path.is_symlink() for path in entries if path.name == "link.dcm"] == [True]
    assert played.reasons() == [
        "'link.dcm' is no file; a series folder holds images",
        "'sub' is no file; a series folder holds images",
    ]


def test_hidden_files_and_files_with_names_that_mroute_needs_are_kept(tmp_path: Path) -> None:
    folder = drop(tmp_path, "1.1")
    for name in (".img.dcm.Xy12ab", "task.json", "reason.json"):
        (folder / name).write_text(f"content of {name}")
    only = tmp_path / "spool" / "incoming" / "1.2"
    only.mkdir()
    (only / ".img.dcm").write_text("nothing but this")
    played = run_once(tmp_path, ROUTE)
    assert set(played.images("pacs")) == {"1.1#0"}
    kept = {path.name: path.read_text() for path in (tmp_path / "spool" / "error").glob("*/kept.*")}
    assert kept == {
        "kept.img.dcm.Xy12ab": "content of .img.dcm.Xy12ab",
        "kept.task.json": "content of task.json",
        "kept.reason.json": "content of reason.json",
        "kept.img.dcm": "nothing but this",
    }
    assert len(played.reasons()) == 4


def test_one_series_that_breaks_a_plugin_in_an_unforeseen_way_stops_no_other(
    tmp_path: Path,
) -> None:
    class Odd:
        @hookimpl
        def mroute_tag_readers(self) -> list[Any]:
            from mroute.api import TagReader

            return [TagReader("aaa", lambda path: None)]  # type: ignore[arg-type,return-value]

        @hookimpl
        def mroute_dispatch(self, subject: Any) -> list[Any]:
            if subject.uid == "1.1":
                raise SystemExit("the plugin gives up")
            return []

    drop(tmp_path, "1.1")
    drop(tmp_path, "1.2")
    (drop(tmp_path, "1.3") / "1.3#0.tags").write_text('{"Rows": ' + "9" * 5000 + "}")
    played = run_once(tmp_path, ROUTE, odd=Odd())
    assert set(played.images("pacs")) == {"1.2#0"}
    assert set(played.images("spool/error")) == {"1.1#0", "1.3#0"}
    reasons = played.reasons()
    assert any("plugin 'odd': hook 'mroute_dispatch' raised SystemExit" in each for each in reasons)
    assert any(each.startswith("'1.3#0.tags' is no JSON") for each in reasons)


def test_a_task_that_is_odd_stops_no_other(tmp_path: Path) -> None:
    drop(tmp_path, "1.1")
    drop(tmp_path, "1.2")
    (tmp_path / "spool" / "outgoing").mkdir()
    (tmp_path / "spool" / "outgoing" / "HALT").touch()
    run_once(tmp_path, ROUTE)
    (tmp_path / "spool" / "outgoing" / "HALT").unlink()
    path = min((tmp_path / "spool" / "outgoing").glob("*/task.json"))
    content = json.loads(path.read_text())
    content["dispatch"]["next_retry_at"] = "2026-11-23 12:00:00"
    path.write_text(json.dumps(content))
    played = run_once(tmp_path)
    assert sum(played.images("pacs").values()) == 1
    assert "'next_retry_at' is '2026-11-23 12:00:00'" in played.reasons()[0]


def test_what_nobody_works_on_is_told(tmp_path: Path) -> None:
    drop(tmp_path, "1.1")
    (tmp_path / "spool" / "scanning" / "a-task").mkdir(parents=True)
    (tmp_path / "spool" / "outgoing").mkdir()
    (tmp_path / "spool" / "outgoing" / "loose.dcm").touch()
    played = run_once(tmp_path, ROUTE)
    told = [Path(each["where"]).name for each in played.facts("trouble_noticed")]
    assert told == ["loose.dcm", "scanning"]


@pytest.mark.parametrize("name", [".hidden", "..evil"])
def test_what_is_no_series_folder_stays_and_is_told(tmp_path: Path, name: str) -> None:
    drop(tmp_path, "1.1").rename(tmp_path / "spool" / "incoming" / name)
    (tmp_path / "spool" / "incoming" / ".loose.dcm").write_text("loose")
    played = run_once(tmp_path, ROUTE)
    assert played.images("spool/incoming") == {"1.1#0": 1, "loose": 1}
    told = sorted(Path(each["where"]).name for each in played.facts("arrival_ignored"))
    assert told == sorted([name, ".loose.dcm"])
    result = mroute("run", "--once", "-c", tmp_path / "mroute.yaml")
    assert result.exit_code == 1
    assert "kept back 2" in result.output


def test_a_plugin_that_cannot_be_loaded_stops_a_run_and_its_prediction_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be one that keeps images from going somewhere."""
    from mroute.cli.installed import Installed
    from mroute.hooks import Hooks
    from mroute.plugins import LoadedPlugin
    from mroute.registry import Registry

    hooks, _ = plugins_with()
    broken = LoadedPlugin("guard", "mroute-guard", "1.0", "ImportError: no licence")
    hooks = Hooks(hooks._manager, [*hooks.plugins, broken])
    installed = Installed(hooks, Registry.collect(hooks))
    monkeypatch.setattr("mroute.cli.installed.installed", lambda: installed)
    drop(tmp_path, "1.1")
    result = mroute("run", "--once", "-c", write_rules(tmp_path, ROUTE))
    assert result.exit_code == 3
    assert "plugin 'guard': cannot be loaded: ImportError: no licence" in result.output
    assert "MROUTE_DISABLE_PLUGINS=guard" in result.output
    assert (tmp_path / "spool" / "incoming" / "1.1").exists()
    assert mroute("explain", "-c", tmp_path / "mroute.yaml", tmp_path / "spool").exit_code == 3
    assert mroute("validate-rules", tmp_path / "mroute.yaml").exit_code == 0


def test_a_rule_whose_plugin_is_gone_is_told_which_one_it_was(tmp_path: Path) -> None:
    from mroute.api import ActionType, Phase, RuleBase
    from mroute.config import validate

    class Guest:
        @hookimpl
        def mroute_actions(self) -> list[ActionType]:
            return [ActionType("guest-action", Phase.DISPATCH, RuleBase)]

    drop(tmp_path, "1.1")
    file = tmp_path / "mroute.yaml"
    run_once(tmp_path, f"{HEAD}rules: {{r: {{when: 'True', action: guest-action}}}}", guest=Guest())
    _, registry = plugins_with()
    (problem,) = validate(file, registry)
    assert "unknown action 'guest-action': it came from plugin 'guest'" in problem.message


def test_broken_tags_send_their_image_to_error_and_the_series_goes_on(tmp_path: Path) -> None:
    folder = drop(tmp_path, "1.1", 2)
    (folder / "1.1#0.tags").write_text('{"Modality": ')
    played = run_once(tmp_path, ROUTE)
    assert set(played.images("pacs")) == {"1.1#1"}
    assert set(played.images("spool/error")) == {"1.1#0"}
    (reason,) = played.reasons()
    assert reason.startswith("'1.1#0.tags' is no JSON")
    (dead,) = (tmp_path / "spool" / "error").iterdir()
    assert (dead / "1.1#0.tags").read_text() == '{"Modality": '


def test_text_that_does_not_decode_is_kept_and_named(tmp_path: Path) -> None:
    folder = drop(tmp_path, "1.1")
    tags = b'{"SeriesInstanceUID": "1.1", "SeriesDescription": "Garbage \xb1"}'
    (folder / "1.1#0.tags").write_bytes(tags)
    when = "\"'Garbage' in tags.SeriesDescription\""
    rules = f"{HEAD}rules: {{r: {{when: {when}, action: route, targets: [pacs]}}}}"
    played = run_once(tmp_path, rules)
    assert set(played.images("pacs")) == {"1.1#0"}
    (delivered,) = (tmp_path / "pacs").glob("*/task.json")
    journal = json.loads(delivered.read_text())["journal"]
    assert [each["outcome"] for each in journal if each["action"] == "trouble"] == [
        "'1.1#0.tags' is not encoded in UTF-8; its other bytes are kept as they are"
    ]


@pytest.mark.parametrize("keyword", ["SeriesInstanceUID", "StudyInstanceUID"])
@pytest.mark.parametrize("uid", ["../outgoing/evil", "/etc/evil", "a\\b", "..", "1.2\x00.3"])
def test_a_uid_that_could_be_a_path_goes_to_error(tmp_path: Path, keyword: str, uid: str) -> None:
    drop(tmp_path, "1.1", **{keyword: uid})
    drop(tmp_path, "1.2")
    played = run_once(tmp_path, ROUTE)
    assert set(played.images("pacs")) == {"1.2#0"}
    assert set(played.images("spool/error")) == {"1.1#0"}
    (reason,) = played.reasons()
    assert f"the {keyword} {uid!a}" in reason
    assert not (tmp_path / "spool" / "outgoing" / "evil").exists()


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("{when: 'True', action: route, targets: [pasc]}", "unknown target 'pasc'"),
        ("{when: 'True', action: process, modules: [seg]}", "unknown module 'seg'"),
        ("{when: 'True', action: rout, targets: [pacs]}", "unknown action 'rout'"),
    ],
)
def test_a_rule_that_names_what_there_is_not_is_refused(
    tmp_path: Path, rule: str, message: str
) -> None:
    drop(tmp_path, "1.1")
    file = write_rules(tmp_path, f"{HEAD}rules:\n  r: {rule}\n")
    for command, code in (("validate-rules",), 1), (("run", "--once", "-c"), 3):
        result = mroute(*command, file)
        assert result.exit_code == code
        assert message in result.output
        assert f"{file}:8:" in result.output
        assert "Traceback" not in result.output
    assert spool_of(tmp_path).incoming.joinpath("1.1", "1.1#0.dcm").read_text() == "1.1#0"


class Raises:
    """A plugin that raises in one hook."""

    def __init__(self, hook: str) -> None:
        namespace: dict[str, Any] = {}
        arguments = {
            "mroute_commands": "cli",
            "mroute_study_collection": "series, rules, context",
            "mroute_dispatch": "subject, rules, context",
            "mroute_processing": "subject, rules, context",
            "mroute_notification": "notice, context",
            "mroute_event": "event",
        }.get(hook, "")
        exec(f"def {hook}({arguments}): raise ValueError('broken on purpose')", namespace)  # noqa: S102
        setattr(self, hook, hookimpl(namespace[hook]))


CONTRIBUTING = [
    "mroute_actions",
    "mroute_target_types",
    "mroute_notification_channels",
    "mroute_completion_conditions",
    "mroute_rule_functions",
    "mroute_queues",
    "mroute_runners",
    "mroute_services",
    "mroute_tag_readers",
    "mroute_health_checks",
    "mroute_settings",
]

NOTIFYING = """
rules:
  r: {when: 'True', action: route, targets: [pacs], notify: [{channel: webhook, url: "http://127.0.0.1:9"}]}
"""


@pytest.mark.parametrize("hook", CONTRIBUTING)
def test_a_plugin_that_raises_while_contributing_is_named_and_stops_nothing(
    tmp_path: Path, hook: str
) -> None:
    drop(tmp_path, "1.1")
    played = run_once(tmp_path, ROUTE, broken=Raises(hook))
    assert set(played.images("pacs")) == {"1.1#0"}
    told = [each["detail"] for each in played.facts("trouble_noticed")]
    assert told == [f"plugin 'broken': hook '{hook}' raised ValueError: broken on purpose"]


@pytest.mark.parametrize(
    "hook", ["mroute_study_collection", "mroute_dispatch", "mroute_processing"]
)
def test_a_plugin_that_raises_while_planning_sends_the_series_to_error(
    tmp_path: Path, hook: str
) -> None:
    drop(tmp_path, "1.1", 2)
    drop(tmp_path, "1.2")
    played = run_once(tmp_path, ROUTE, broken=Raises(hook))
    assert played.images("spool/error") == {"1.1#0": 1, "1.1#1": 1, "1.2#0": 1}
    assert played.images("pacs") == {}
    message = f"plugin 'broken': hook '{hook}' raised ValueError: broken on purpose"
    assert played.reasons() == [message, message]


def test_a_plugin_that_raises_on_a_notice_loses_no_image(tmp_path: Path) -> None:
    drop(tmp_path, "1.1")
    played = run_once(tmp_path, HEAD + NOTIFYING, broken=Raises("mroute_notification"))
    assert set(played.images("pacs")) == {"1.1#0"}
    assert played.reasons() == []
    assert played.hooks is not None
    assert played.hooks.failures["broken"] >= 1


def test_a_plugin_that_raises_on_an_event_is_counted_and_stops_nothing(tmp_path: Path) -> None:
    drop(tmp_path, "1.1")
    played = run_once(tmp_path, ROUTE, broken=Raises("mroute_event"))
    assert set(played.images("pacs")) == {"1.1#0"}
    assert played.hooks is not None
    assert played.hooks.failures["broken"] >= 3


def test_a_plugin_that_raises_while_adding_commands_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from mroute.cli.installed import Installed

    installed = Installed(*plugins_with(broken=Raises("mroute_commands")))
    monkeypatch.setattr("mroute.cli.installed.installed", lambda: installed)
    result = mroute("--help")
    assert result.exit_code == 0
    assert "plugin 'broken': hook 'mroute_commands' raised" in result.output
    assert "validate-rules" in result.output
    assert "tags" in result.output


def make_file(path: Path) -> None:
    path.write_text("a file")


def make_broken_link(path: Path) -> None:
    path.symlink_to(path.parent / "gone" / "far")


@pytest.mark.parametrize("make", [make_file, make_broken_link])
def test_a_spool_that_cannot_be_made_is_told(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "spool")
    result = mroute("run", "--once", "-c", write_rules(tmp_path, ROUTE))
    assert result.exit_code == 4
    assert f"the spool '{tmp_path / 'spool'}' cannot be made" in result.output
    assert "Traceback" not in result.output


def test_a_spool_folder_that_cannot_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    access = os.access
    studies = tmp_path / "spool" / "studies"
    monkeypatch.setattr(
        "os.access", lambda path, mode: path != studies and access(path, mode)
    )  # the superuser, as whom tests may run, can write everywhere
    result = mroute("run", "--once", "-c", write_rules(tmp_path, ROUTE))
    assert result.exit_code == 4
    assert f"the spool folder '{studies}' cannot be written" in result.output


def test_a_spool_on_two_file_systems_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    stat = Path.stat
    studies = tmp_path / "spool" / "studies"

    def elsewhere(self: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        status = stat(self, follow_symlinks=follow_symlinks)
        return os.stat_result((*status[:2], status.st_dev + (self == studies), *status[3:10]))

    monkeypatch.setattr(Path, "stat", elsewhere)
    result = mroute("run", "--once", "-c", write_rules(tmp_path, ROUTE))
    assert result.exit_code == 4
    assert f"the spool folder '{studies}' is on another file system" in result.output


def test_a_rule_file_that_is_missing_is_told(tmp_path: Path) -> None:
    result = mroute("run", "--once", "-c", tmp_path / "gone.yaml")
    assert result.exit_code == 3
    assert "gone.yaml" in result.output
    with pytest.raises(ConfigurationError), open_site(tmp_path / "gone.yaml", *plugins_with()):
        pass
