"""What is no rule file at all: missing, unreadable, too large, of another encoding."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from mroute.config import load, validate
from mroute.config.source import MAX_BYTES
from mroute.errors import ConfigurationError, Problem
from mroute.registry import Registry
from tests.unit.config.conftest import Site


def only(path: Path, registry: Registry) -> Problem:
    [problem] = validate(path, registry)
    assert problem.file == str(path)
    with pytest.raises(ConfigurationError) as caught:
        load(path, registry)
    assert caught.value.problems == (problem,)
    return problem


def test_a_file_that_is_not_there(tmp_path: Path, registry: Registry) -> None:
    problem = only(tmp_path / "nowhere.yaml", registry)
    assert (problem.code, problem.line, problem.column) == ("MR200", 1, 1)
    assert problem.message == "the file cannot be read: no such file or directory"
    assert problem.hint == "check the path, or make a file with 'mroute init DIR'"


def test_a_folder(tmp_path: Path, registry: Registry) -> None:
    assert only(tmp_path, registry).message == "this is a folder, expected a rule file"


def test_a_pipe_is_not_waited_for(tmp_path: Path, registry: Registry) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    assert only(tmp_path / "pipe.yaml", registry).message == (
        "this is a pipe, expected a rule file"
    )


def test_a_socket_and_a_device(
    tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("s")
        assert only(Path("s"), registry).message == "this is a socket, expected a rule file"
    assert only(Path("/dev/zero"), registry).message == "this is a device, expected a rule file"


def test_a_file_below_a_file(tmp_path: Path, registry: Registry) -> None:
    (tmp_path / "file").touch()
    problem = only(tmp_path / "file" / "mroute.yaml", registry)
    assert problem.message == "the file cannot be read: not a directory"


def test_a_path_that_cannot_be_one(tmp_path: Path, registry: Registry) -> None:
    assert only(tmp_path / "a\0b", registry).code == "MR200"


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, registry: Registry) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    problem = only(path, registry)
    assert problem.code == "MR200"
    assert problem.message == "the file is larger than 64 MB, the most that is read"


@pytest.mark.parametrize(
    ("content", "line", "column", "byte"),
    [
        (b"\xff\xfev\x00", 1, 1, "0xff"),
        ("version: 1\ncomment: Süd".encode("latin-1"), 2, 11, "0xfc"),
        ("\ufeffversion: ü\xe9".encode() + b"\xe9\n", 1, 12, "0xe9"),
        (b"version: 1\r\nx: \xc3", 2, 4, "0xc3"),
    ],
)
def test_a_file_that_is_not_utf_8(
    site: Site, content: bytes, line: int, column: int, byte: str
) -> None:
    problem = only(site.write(content), site.registry)
    assert (problem.code, problem.line, problem.column) == ("MR201", line, column)
    assert problem.message == f"the file is not UTF-8: byte {byte}"
    assert problem.hint == "save the file as UTF-8"


@pytest.mark.parametrize("character", ["\x07", "\x00", "\x1b", "\x7f", "\x9b", "\ufffe"])
def test_a_character_that_must_not_be_in_a_file(site: Site, character: str) -> None:
    problem = only(site.write(f"version: 1\nspool: a{character}b\n"), site.registry)
    assert (problem.code, problem.line, problem.column) == ("MR201", 2, 9)
    assert problem.message == f"the character {character!a} must not be in a file"
    assert problem.source == "spool: a\ufffdb"


@pytest.mark.parametrize("name", ["m.yaml", "m.json", "m.toml", "m", "m.YML"])
@pytest.mark.parametrize("text", ["", " \n\n"])
def test_an_empty_file(site: Site, name: str, text: str) -> None:
    problem = only(site.write(text, name), site.registry)
    assert (problem.code, problem.line, problem.column) == ("MR204", 1, 1)
    assert problem.message == "the file is empty, expected a rule file"
    assert problem.hint == "'mroute init DIR' writes one to start from"


def test_a_byte_order_mark_and_windows_lines_are_taken(site: Site) -> None:
    text = (
        "\ufeffversion: 1\r\nrules:\r\n  a:\r\n    when: tags.Foo == 1\r\n    action: discard\r\n"
    )
    [problem] = site.problems(text)
    assert (problem.code, problem.line, problem.column) == ("MR120", 4, 11)
    assert problem.source == "    when: tags.Foo == 1"


@pytest.mark.parametrize(
    ("name", "text", "column"),
    [
        ("a.yaml", "rules: {r: {when: 'True', action: discard, x: .nan}}\n", 47),
        ("a.toml", "rules.r = {when = 'True', action = 'discard', x = nan}\n", 51),
        ("a.json", '{"rules": {"r": {"when": "True", "action": "discard", "x": 1e999}}}', 60),
    ],
)
def test_a_number_that_no_task_file_can_hold(
    tmp_path: Path, registry: Registry, name: str, text: str, column: int
) -> None:
    (tmp_path / name).write_text(text)
    found = [each for each in validate(tmp_path / name, registry) if each.code == "MR213"]
    assert [(each.line, each.column) for each in found] == [(1, column)]
    assert "is not a finite number" in found[0].message
