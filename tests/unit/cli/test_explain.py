"""``mroute explain``: every rule with its reason, the decision, the plan; text and JSON."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydicom.data import get_testdata_file

from mroute.api import hookimpl
from mroute.cli.installed import Installed
from mroute.errors import DuplicateContributionError
from mroute.plugins import LoadedPlugin
from mroute.registry import Registry
from tests.e2e.sites import plugins_with
from tests.unit.cli.conftest import Mroute

CT = Path(str(get_testdata_file("CT_small.dcm")))
RULES = """\
version: 1
targets:
  archive: {type: folder, path: archive}
  pacs: {type: folder, path: pacs}
modules:
  segment: {runner: command, command: [segment, --token, s3cret]}
rules:
  thin:
    when: tags.Modality == 'CT' and tags.SliceThickness <= 5
    action: route
    targets: [archive, pacs]
    notify: [{channel: webhook, url: "http://x/s3cret", headers: {Authorization: s3cret}}]
  old: {when: "True", action: discard, disabled: true}
  also-archive: {when: has(Rows), action: route, targets: [archive]}
  segmented:
    when: tags.BodyPartExamined == 'HEAD'
    action: both
    modules: [segment]
    targets: [pacs]
    priority: urgent
  study:
    when: tags.StudyDescription == 'spine'
    on: study
    study: {complete: received_series, series: "'T1' and 'T2'", after: 90m, else: proceed}
    action: route
    targets: [pacs]
  tell:
    when: tags.Modality == 'US'
    action: notification
    notify: [{channel: webhook, url: "http://x/", events: [received, completed]}]
  no-screenshots: {when: tags.Modality == 'OT', action: discard}
  last: {when: tags.Modality == 'OT', action: route, targets: [pacs]}
  rest: {when: has(Modality), action: route, targets: [archive], fallback: true}
  rest-too: {when: has(PatientID), action: discard, fallback: true}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("mroute.yaml").write_text(RULES)
    shutil.copy(CT, "ct.dcm")
    return tmp_path


class Explain:
    """Calls the command for tags on standard input, and expects an exit code of 0."""

    def __init__(self, mroute: Mroute) -> None:
        self.mroute = mroute

    def text(self, *arguments: str, **tags: str) -> str:
        result = self.mroute(
            "explain", "-c", "mroute.yaml", *arguments, "-", stdin=json.dumps(tags)
        )
        assert (result.exit_code, result.stderr) == (0, "")
        return result.stdout

    def json(self, *arguments: str, **tags: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text("--json", *arguments, **tags))
        return found


@pytest.fixture
def explain(mroute: Mroute) -> Explain:
    return Explain(mroute)


# Text


def test_a_dicom_file(mroute: Mroute, folder: Path) -> None:
    result = mroute("explain", "-c", "mroute.yaml", "ct.dcm")
    assert (result.exit_code, result.stderr) == (0, "")
    assert (
        result.stdout
        == """\
ct.dcm
  ✓ thin            tags.Modality == 'CT' is true: Modality is 'CT'; tags.SliceThickness <= 5 is \
true: SliceThickness is '5.000000'
  - old             not considered, for it is disabled; True is true
  ✓ also-archive    has(tags.Rows) is true: Rows is '128'
  ? segmented       tags.BodyPartExamined == 'HEAD' is unknown: tag 'BodyPartExamined' is missing
  ✗ study           tags.StudyDescription == 'spine' is false: StudyDescription is 'e+1'
  ✗ tell            tags.Modality == 'US' is false: Modality is 'CT'
  ✗ no-screenshots  tags.Modality == 'OT' is false: Modality is 'CT'
  ✗ last            tags.Modality == 'OT' is false: Modality is 'CT'
  - rest            not considered, for it is a fallback, and another rule triggered; \
has(tags.Modality) is true: Modality is 'CT'
  - rest-too        not considered, for it is a fallback, and another rule triggered; \
has(tags.PatientID) is true: PatientID is '1CT1'
  decision: rules 'thin', 'also-archive' apply
  plan:     outgoing/: route to 'archive' (rules 'thin', 'also-archive')
            outgoing/: route to 'pacs' (rule 'thin')
            tell 'webhook': received (rule 'thin')
"""
    )
    assert not Path("spool").exists()


def tail(text: str) -> str:
    return text[text.index("  decision: ") :]


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        (
            {"Modality": "OT", "Rows": "1"},
            """\
  decision: discarded by rule 'no-screenshots', over 'also-archive'
  plan:     discard/: discarded by rule 'no-screenshots'
""",
        ),
        (
            {"Modality": "MR"},
            """\
  decision: fallback rule 'rest' applies, for no other triggered
  plan:     outgoing/: route to 'archive' (rule 'rest')
""",
        ),
        (
            {"PatientID": "1"},
            """\
  decision: discarded by fallback rule 'rest-too'
  plan:     discard/: discarded by rule 'rest-too'
""",
        ),
        (
            {},
            """\
  decision: discarded, for no rule triggered
  plan:     discard/: no rule triggered; unknown for lack of a tag or a value that can be read: \
'thin', 'segmented', 'study', 'tell', 'no-screenshots', 'last'
""",
        ),
        (
            {"BodyPartExamined": "HEAD"},
            """\
  decision: rule 'segmented' applies
  plan:     processing/: both by 'segment' to 'pacs' (rule 'segmented', urgent)
""",
        ),
        (
            {"StudyDescription": "spine", "StudyInstanceUID": "1.2"},
            """\
  decision: rule 'study' applies
  plan:     studies/: join study 1.2 (rule 'study'), complete by received_series 'T1' and 'T2', \
or after 1h30m: proceed
""",
        ),
        (
            {"StudyDescription": "spine"},
            """\
  decision: none, for the series cannot be planned
  plan:     error/: rule 'study' collects studies, but the series has no StudyInstanceUID; \
expected the UID of its study
""",
        ),
        (
            {"Modality": "CT", "Rows": "1", "SeriesInstanceUID": "../x\x1b"},
            """\
  decision: none, for the series cannot be planned
  plan:     error/: the SeriesInstanceUID '../x\\x1b' begins with a dot
""",
        ),
        (
            {"Modality": "US"},
            """\
  decision: rule 'tell' applies
  plan:     success/: only notifications
            tell 'webhook': received, completed (rule 'tell')
""",
        ),
    ],
    ids=[
        "discard",
        "fallback",
        "discarding-fallback",
        "nothing",
        "both",
        "study",
        "no-study",
        "unsafe",
        "notification",
    ],
)
def test_the_decision_and_the_plan(explain: Explain, tags: dict[str, str], said: str) -> None:
    assert tail(explain.text(**tags)) == said


def test_rules_after_a_discard_are_answered_too(explain: Explain) -> None:
    lines = explain.text(Modality="OT").splitlines()
    assert lines[8:10] == [
        (
            "  - last            not considered, for a rule before it discards the series; "
            "tags.Modality == 'OT' is true: Modality is 'OT'"
        ),
        (
            "  - rest            not considered, for it is a fallback, and another rule triggered; "
            "has(tags.Modality) is true: Modality is 'OT'"
        ),
    ]


def test_a_fallback_after_one_that_discards(explain: Explain, folder: Path) -> None:
    Path("mroute.yaml").write_text(
        "version: 1\nrules:\n"
        "  a: {when: 'True', action: discard, fallback: true}\n"
        "  b: {when: 'True', action: discard, fallback: true}\n"
    )
    assert explain.json()["rules"]["b"]["state"] == "another discarded"


def test_control_characters_of_tags_and_names_never_reach_the_terminal(
    explain: Explain, folder: Path
) -> None:
    Path("mroute.yaml").write_text(
        "version: 1\nrules:\n  a: {when: tags.Modality == 'CT', action: discard}\n"
    )
    said = explain.text(Modality="CT\x1b[2J\u202e\ud800")
    assert "Modality is 'CT\\x1b[2J\\u202e\\ud800'" in said
    assert [each for each in said if not each.isprintable()] == ["\n"] * 4


def test_several_subjects_are_set_apart(mroute: Mroute) -> None:
    result = mroute("explain", "-c", "mroute.yaml", "ct.dcm", "nowhere", "ct.dcm")
    assert result.exit_code == 1
    first, second = result.stdout.split("\n\n")
    assert f"{first}\n" == second
    assert result.stderr == (
        "mroute: 'nowhere' does not exist; expected a DICOM file, a folder, a '.tags' file or '-'\n"
    )


def test_a_folder_says_which_image_decides(mroute: Mroute, folder: Path) -> None:
    Path("series").mkdir()
    shutil.copy(CT, "series")
    Path("series/.force-rule").write_text("tell")
    said = mroute("explain", "-c", "mroute.yaml", "series").stdout
    assert said.startswith("series  (1 image, decided by 'CT_small.dcm')\n  - thin ")
    assert "\n  ✓ tell            rule 'tell' is forced for this series\n" in said


def test_a_terminal_without_these_characters_gets_others(
    mroute: Mroute, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    from mroute.cli import main

    runner = CliRunner(charset="ascii")
    result = runner.invoke(main, ["explain", "-c", "mroute.yaml", "ct.dcm"])
    marks = {line[2] for line in result.stdout.splitlines()[1:11]}
    assert (result.exit_code, marks) == (0, {"+", "x", "?", "-"})


@pytest.mark.parametrize(
    ("variables", "colored"),
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False)],
)
def test_colour(
    mroute: Mroute, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], colored: bool
) -> None:
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    said = mroute("explain", "-c", "mroute.yaml", "ct.dcm").stdout
    assert ("\x1b[32m✓\x1b[0m thin " in said) is colored
    assert ("\x1b" in said) is colored


# Which rules are shown


def test_some_rules_only(explain: Explain) -> None:
    said = explain.text("--rule", "tell", "--rule", "thin", Modality="CT")
    assert [line[4:8] for line in said.splitlines()[1:3]] == ["thin", "tell"]
    assert tail(said) == tail(explain.text(Modality="CT"))
    assert list(explain.json("--rule", "tell", Modality="CT")["rules"]) == ["tell"]


def test_a_rule_that_there_is_not(mroute: Mroute, folder: Path) -> None:
    result = mroute("explain", "-c", "mroute.yaml", "--rule", "thinn", "ct.dcm")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith(
        "Error: there is no rule 'thinn' in 'mroute.yaml'; did you mean 'thin'?\n"
    )


def test_of_many_rules_the_false_ones_are_counted(explain: Explain, folder: Path) -> None:
    rules = "".join(f"  r{n}: {{when: tags.Rows == {n}, action: discard}}\n" for n in range(60))
    unknown = "  u: {when: tags.Columns == 1, action: discard}\n"
    after = "  off: {when: 'True', action: discard, disabled: true}\n"
    Path("mroute.yaml").write_text(f"version: 1\nrules:\n{unknown}{rules}{after}")
    assert (
        explain.text(Rows="58")
        == """\
-
  ? u    tags.Columns == 1 is unknown: tag 'Columns' is missing
  ✓ r58  tags.Rows == 58 is true: Rows is '58'
  58 false, 2 not considered: --all shows them
  decision: discarded by rule 'r58'
  plan:     discard/: discarded by rule 'r58'
"""
    )
    assert len(explain.text("--all", Rows="58").splitlines()) == 65
    assert len(explain.json(Rows="58")["rules"]) == 62


def test_a_long_list_of_unknown_rules_is_cut_off(explain: Explain, folder: Path) -> None:
    name = "a-rule-with-a-rather-long-name-for-the-size-of-an-image"
    rules = "".join(
        f"  {name}-{n}: {{when: tags.Rows == {n}, action: discard}}\n" for n in range(90)
    )
    Path("mroute.yaml").write_text(f"version: 1\nrules:\n{rules}")
    *_, plan = explain.text().splitlines()
    assert plan.startswith("  plan:     discard/: no rule triggered; unknown for lack of a tag ")
    assert plan.endswith("...")
    assert explain.json()["plan"][0]["reason"].endswith(f"'{name}-9' and 80 more")


# A forced rule


def test_a_rule_can_be_forced(explain: Explain) -> None:
    found = explain.json("--force-rule", "tell", Modality="CT")
    assert (found["triggered"], found["discarded_by"]) == (["tell"], None)
    assert found["rules"]["tell"] == {
        "value": True,
        "because": "rule 'tell' is forced for this series",
        "state": "considered",
    }
    assert found["rules"]["thin"]["state"] == "another forced"
    assert [entry["queue"] for entry in found["plan"][:1]] == ["success"]


@pytest.mark.parametrize("rule", ["nope", "old"])
def test_a_rule_that_cannot_be_forced(explain: Explain, rule: str) -> None:
    said = explain.text("--force-rule", rule, Modality="CT")
    assert tail(said) == (
        "  decision: none, for the series cannot be planned\n"
        f"  plan:     error/: the series asks for rule '{rule}', which does not exist or is "
        "disabled; add the rule or send the series again without it\n"
    )


def test_a_series_that_cannot_be_decided_is_answered_for_all_the_same(explain: Explain) -> None:
    found = explain.json(Modality="OT", SeriesInstanceUID="../x")
    assert (found["triggered"], found["discarded_by"], found["fallback"]) == ([], None, False)
    assert found["rules"]["last"] == {
        "value": True,
        "because": "not considered, for the series cannot be decided; "
        "tags.Modality == 'OT' is true: Modality is 'OT'",
        "state": "undecided",
    }
    assert {each["state"] for each in found["rules"].values()} == {"undecided", "disabled"}


# JSON


def test_json_has_these_keys(explain: Explain) -> None:
    found = explain.json(
        Modality="CT", SliceThickness="1", StudyDescription="spine", StudyInstanceUID="1.2"
    )
    assert list(found) == ["subject", "triggered", "discarded_by", "fallback", "rules", "plan"]
    assert found["subject"] == "-"
    assert found["triggered"] == ["thin", "study"]
    assert (found["discarded_by"], found["fallback"]) == (None, False)
    assert list(found["rules"]) == [
        "thin",
        "old",
        "also-archive",
        "segmented",
        "study",
        "tell",
        "no-screenshots",
        "last",
        "rest",
        "rest-too",
    ]
    assert all(set(each) == {"value", "because", "state"} for each in found["rules"].values())
    assert found["rules"]["old"] == {
        "value": True,
        "because": "not considered, for it is disabled; True is true",
        "state": "disabled",
    }
    assert found["rules"]["segmented"] == {
        "value": None,
        "because": "tags.BodyPartExamined == 'HEAD' is unknown: tag 'BodyPartExamined' is missing",
        "state": "considered",
    }
    task = {
        "queue": "outgoing",
        "rules": ["thin"],
        "action": "route",
        "applied_rule": "",
        "targets": ["archive"],
        "modules": [],
        "priority": "normal",
        "key": "archive",
        "reason": "",
    }
    assert found["plan"] == [
        task,
        {**task, "targets": ["pacs"], "key": "pacs"},
        {
            "study": "1.2",
            "rule": "study",
            "complete": "received_series",
            "series": "'T1' and 'T2'",
            "condition": "received_series 'T1' and 'T2'",
            "after": "1h30m",
            "else": "proceed",
            "when": None,
            "latecomers": "new",
        },
        {"channel": "webhook", "rule": "thin", "event": "received"},
    ]


def test_json_of_a_discard_and_of_a_fallback(explain: Explain) -> None:
    found = explain.json(Modality="OT")
    assert (found["triggered"], found["discarded_by"]) == (["no-screenshots"], "no-screenshots")
    found = explain.json(Modality="MR")
    assert (found["triggered"], found["discarded_by"], found["fallback"]) == (["rest"], None, True)
    found = explain.json()
    assert (found["triggered"], found["discarded_by"], found["fallback"]) == ([], None, False)
    assert found["plan"][0]["queue"] == "discard"


def test_nothing_secret_is_shown(mroute: Mroute) -> None:
    tags = '{"Modality": "CT", "SliceThickness": "1", "BodyPartExamined": "HEAD"}'
    for as_json in ((), ("--json",)):
        said = mroute("explain", "-c", "mroute.yaml", *as_json, "-", stdin=tags).output
        assert "segment" in said
        assert "webhook" in said
        assert "s3cret" not in said


# What cannot be loaded


def test_a_rule_file_with_errors(mroute: Mroute, folder: Path) -> None:
    Path("mroute.yaml").write_text(
        "version: 1\nrules:\n  a: {when: tags.Modality = 'OT', action: discard}\n"
    )
    result = mroute("explain", "-c", "mroute.yaml", "ct.dcm")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        "mroute: mroute.yaml:3:27: error: '=' is no operator here [MR106]\n"
        "    3 |   a: {when: tags.Modality = 'OT', action: discard}\n"
        "      |                           ^\n"
        "  hint: compare with '==', not '='\n"
    )
    assert mroute("explain", "-c", "nowhere.yaml", "ct.dcm").exit_code == 3


def test_a_plugin_that_cannot_be_loaded(mroute: Mroute, pretend: Callable[..., None]) -> None:
    pretend(plugins=(LoadedPlugin("odd", "mroute-odd", "1", "ImportError: no module 'x'"),))
    result = mroute("explain", "-c", "mroute.yaml", "ct.dcm")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == (
        "mroute: plugin 'odd': cannot be loaded: ImportError: no module 'x'; repair it, or run "
        "without it by MROUTE_DISABLE_PLUGINS=odd\n"
    )


def test_plugins_that_quarrel(mroute: Mroute, pretend: Callable[..., None]) -> None:
    pretend(errors=(DuplicateContributionError("b", "contributes 'x' as 'a' does"),))
    result = mroute("explain", "-c", "mroute.yaml", "ct.dcm")
    assert (result.exit_code, result.stdout) == (3, "")


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Plants plugins beside the default ones."""

    def plant(**plugins: object) -> None:
        hooks, registry = plugins_with(**plugins)
        monkeypatch.setattr(
            "mroute.cli.installed.installed", lambda: Installed(hooks, replace(registry))
        )
        assert isinstance(registry, Registry)

    return plant


def test_a_plugin_that_fails_while_it_plans(explain: Explain, planted: Callable[..., None]) -> None:
    class Failing:
        @hookimpl
        def mroute_dispatch(self) -> None:
            raise ValueError("out of order")

    planted(failing=Failing())
    assert tail(explain.text(Modality="MR")) == (
        "  decision: none, for the series cannot be planned\n"
        "  plan:     error/: plugin 'failing': hook 'mroute_dispatch' raised ValueError: "
        "out of order\n"
    )


def test_a_plugin_that_fails_over_a_notification_is_told(
    mroute: Mroute, planted: Callable[..., None]
) -> None:
    class Failing:
        @hookimpl
        def mroute_notification(self) -> None:
            raise ValueError("out of order")

    planted(failing=Failing())
    result = mroute("explain", "-c", "mroute.yaml", "-", stdin='{"Modality": "US"}')
    assert result.exit_code == 0
    assert tail(result.stdout).endswith("tell 'webhook': received, completed (rule 'tell')\n")
    assert set(result.stderr.splitlines()) == {
        "mroute: plugin 'failing': hook 'mroute_notification' raised ValueError: out of order"
    }


@pytest.mark.parametrize("arguments", [(), ("ct.dcm",), ("-c", "mroute.yaml")])
def test_usage(mroute: Mroute, arguments: tuple[str, ...]) -> None:
    assert mroute("explain", *arguments).exit_code == 2
