"""``mroute import-mercure``: where rule file and report go, and what is no configuration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Mroute

FINE = {
    "rules": {"mr": {"rule": "@Modality@ == 'MR'", "target": "nothing"}},
    "targets": {"nothing": {"target_type": "dummy"}},
}


@pytest.fixture
def mercure(tmp_path: Path) -> Path:
    path = tmp_path / "mercure.json"
    path.write_text(json.dumps(FINE))
    return path


def test_a_rule_file_that_is_fine(mroute: Mroute, mercure: Path, tmp_path: Path) -> None:
    output = tmp_path / "mroute.yaml"
    result = mroute("import-mercure", mercure, "-o", output)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"0 things to look at\nnext: 'mroute validate-rules {output}'\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mercure.json", "mroute.yaml"]
    assert mroute("validate-rules", output).stdout == f"{output}: fine\n"


def test_without_a_file_the_rules_go_to_standard_output(mroute: Mroute, mercure: Path) -> None:
    result = mroute("import-mercure", mercure)
    assert (result.exit_code, result.stderr) == (0, "0 things to look at\n")
    assert "    when: tags.Modality == 'MR'\n" in result.stdout


def test_the_report(mroute: Mroute, mercure: Path, tmp_path: Path) -> None:
    mercure.write_text(json.dumps({**FINE, "retention": 5, "rules": {"a": {"rule": "1 = 2"}}}))
    result = mroute("import-mercure", mercure)
    assert result.exit_code == 1
    assert result.stderr.startswith("settings\n  retention: how long finished")
    assert "rule 'a'\n  rule: it cannot be read: " in result.stderr
    assert "    when: 1 = 2\n" in result.stdout
    as_json = mroute("import-mercure", mercure, "-o", tmp_path / "m.yaml", "--json")
    assert (as_json.exit_code, as_json.stderr) == (1, "")
    report = json.loads(as_json.stdout)
    assert report[0]["section"] == "settings"
    assert report[0]["rule"] is None
    assert {(each["rule"], each["key"]) for each in report[1:]} == {("a", "rule"), ("a", "target")}
    keys = {"rule", "section", "key", "severity", "code", "message", "hint"}
    assert all(set(each) == keys for each in report)


def test_a_name_does_nothing_to_the_terminal(mroute: Mroute, mercure: Path) -> None:
    mercure.write_text(json.dumps({**FINE, "a\x1b[2Jb\n": 1}))
    result = mroute("import-mercure", mercure)
    assert "  a\\x1b[2Jb\\n: mroute does not know this key [MR403]\n" in result.stderr


def test_a_secret_is_left_out(mroute: Mroute, mercure: Path, tmp_path: Path) -> None:
    target = {"target_type": "xnat", "host": "https://x.example", "project_id": "P", "user": "u"}
    mercure.write_text(
        json.dumps({**FINE, "targets": {"nothing": {**target, "password": "tr0ub4dor"}}})
    )
    output = tmp_path / "mroute.yaml"
    result = mroute("import-mercure", mercure, "-o", output)
    assert "password: {env: NOTHING_PASSWORD}" in output.read_text()
    assert "hint: set 'NOTHING_PASSWORD' where mroute runs" in result.stderr
    assert "tr0ub4dor" not in result.stdout + result.stderr + output.read_text()
    assert mroute("validate-rules", output).stdout == f"{output}: fine\n"


def test_nothing_is_overwritten(mroute: Mroute, mercure: Path, tmp_path: Path) -> None:
    output = tmp_path / "mroute.yaml"
    output.write_text("mine")
    result = mroute("import-mercure", mercure, "-o", output)
    assert result.exit_code == 1
    assert result.stderr == f"mroute: '{output}' is there already; name another file\n"
    assert output.read_text() == "mine"
    assert mroute("import-mercure", mercure, "-o", tmp_path / "no" / "m.yaml").exit_code == 1


def test_who_may_read_the_rule_file(mroute: Mroute, mercure: Path, tmp_path: Path) -> None:
    mercure.chmod(0o600)
    assert mroute("import-mercure", mercure, "-o", tmp_path / "m.yaml").exit_code == 0
    assert (tmp_path / "m.yaml").stat().st_mode & 0o777 == 0o600


def test_usage(mroute: Mroute, mercure: Path) -> None:
    assert mroute("import-mercure").exit_code == 2
    result = mroute("import-mercure", mercure, "--json")
    assert result.exit_code == 2
    assert "--json needs -o FILE" in result.stderr


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "1:1: error: the file is not JSON: expecting value"),
        (b'{"rules": {},\n "targets": }', "2:13: error: the file is not JSON: expecting value"),
        (b"rules: {}", "1:1: error: the file is not JSON: expecting value"),
        (b"[1]", "1:1: error: the file holds no JSON object"),
        (b"null", "1:1: error: the file holds no JSON object"),
        (b'{"name": "a", "version": 2}', "1:1: error: this is no configuration of mercure"),
        (b'{"rules": []}', "1:11: error: 'rules' is no JSON object"),
        (b'{"rules": {}, "modules": "a"}', "1:26: error: 'modules' is no JSON object"),
        (b'{"rules": {"a": {}, "a": {}}}', "1:21: error: "),
        (b'{"rules": {"a": {"comment": "\\ud800"}}}', "'\\ud800', which is half a character"),
        (b'{"rules": {"\xff": 1}}', "1:13: error: the file is not UTF-8: byte 0xff"),
        (b'{"rules": {"a": NaN}}', "'NaN' is not a number of JSON"),
        (b'{"rules": {}, "a": ' + b"[" * 5000 + b"]" * 5000 + b"}", "nested more than"),
        (b'{"rules": ' + b" " * (65 * 1024 * 1024) + b"{}}", "larger than 64 MB"),
    ],
)
def test_what_is_no_configuration(
    mroute: Mroute, tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "mercure.json"
    path.write_bytes(content)
    result = mroute("import-mercure", path, "-o", tmp_path / "m.yaml")
    assert (result.exit_code, result.stdout) == (3, "")
    assert message in result.stderr
    assert not (tmp_path / "m.yaml").exists()


def test_a_folder_and_nothing_at_all(mroute: Mroute, tmp_path: Path) -> None:
    result = mroute("import-mercure", tmp_path)
    assert (result.exit_code, result.stdout) == (3, "")
    assert "this is a folder, expected a configuration of mercure" in result.stderr
    assert mroute("import-mercure", tmp_path / "no.json").exit_code == 3


def test_ten_megabytes_of_text(mroute: Mroute, tmp_path: Path) -> None:
    path = tmp_path / "mercure.json"
    rule = {"rule": "x" * 5_000_000, "target": "nothing", "comment": "y" * 5_000_000}
    path.write_text(json.dumps({**FINE, "rules": {"a": rule}}))
    result = mroute("import-mercure", path, "-o", tmp_path / "m.yaml", "--json")
    assert result.exit_code == 1
    assert {each["code"] for each in json.loads(result.stdout)} == {"MR410", "MR102"}
