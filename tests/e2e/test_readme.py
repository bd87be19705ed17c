"""The README does what it says: its files are written, its commands run, its output compared.

- A block ``console`` holds commands after ``$`` and what they print, with ``...`` for what differs
  from run to run, in a line or as a line. They run in one shell, in the order of the page.
- A block ``yaml NAME`` or ``python NAME`` is the content of that file.
- A block ``sh`` is a command for a fresh machine. There are two. ``.ci/run`` runs them word for
  word, the second of them being the one that runs these tests.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import ROOT, Environment

README = (ROOT / "README.md").read_text("utf-8")
FENCED = r"^```(\w*) ?(\S*)\n(.*?)^```$"
END = "-- end of command"


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: its language, the name behind it, and its lines."""

    language: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Step:
    """A command of the README with the output that it shows."""

    command: str
    output: str


def blocks(page: str) -> list[Block]:
    """All fenced blocks of a page, in order."""
    return [
        Block(*found)
        for found in re.findall(r"^```(\w*) ?(\S*)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    ]


def steps(text: str) -> list[Step]:
    """The commands of a console block."""
    found = re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE)
    return [Step(command, output) for command, output in found]


def pattern(output: str) -> str:
    """A regular expression for the output that is shown; ``...`` stands for anything."""
    lines = [
        r"(?:.*\n)*?"
        if line.strip() == "..."
        else r".*?".join(re.escape(part) for part in line.rstrip().split("...")) + r"[ ]*\n"
        for line in output.splitlines()
    ]
    return "".join(lines)


def script(page: str) -> str:
    """A shell script that goes through the page."""
    lines = []
    for block in blocks(page):
        if block.language == "console":
            for step in steps(block.text):
                lines += [step.command, f'echo "{END} $?"']
        elif block.name:
            lines.append(f"mkdir -p {shlex.quote(str(Path(block.name).parent))}")
            lines.append(f"printf %s {shlex.quote(block.text)} > {shlex.quote(block.name)}")
    return "\n".join(lines)


def ci_command(number: int) -> str:
    """What ``.ci/run`` takes for the command of that number."""
    function = re.search(r"^readme_command\(\) \{.*?^\}$", CI, re.MULTILINE | re.DOTALL)
    assert function is not None
    return subprocess.run(
        ["bash", "-euc", f"{function.group()}\nreadme_command {number}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


CI = (ROOT / ".ci/run").read_text("utf-8")


def test_every_block_is_of_a_kind_that_is_run() -> None:
    kinds = {(block.language, bool(block.name)) for block in blocks(README)}
    assert kinds == {("sh", False), ("console", False), ("yaml", True), ("python", True)}
    assert README.count("```") == 2 * len(blocks(README))


def test_two_commands_are_for_a_fresh_machine_and_ci_runs_both() -> None:
    fresh = [block.text for block in blocks(README) if block.language == "sh"]
    assert len(fresh) == 2
    assert [ci_command(1), ci_command(2)] == fresh
    assert re.findall(r"^step .*readme_command (\d).*$", CI, re.MULTILINE) == ["1", "2"]
    # Its closing line is the last that CI prints.
    assert CI.rstrip().endswith('"$(readme_command 2)"')
    assert "-m pytest" in fresh[1]


def test_the_introduction_takes_ten_lines() -> None:
    title, introduction, *_ = README.split("\n\n## ")[0].split("\n\n", 1)
    assert title == "# mroute"
    assert len([line for line in introduction.splitlines() if line]) <= 10


def test_the_tour_shows_what_the_commands_print(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / ".venv").symlink_to(environment.folder)
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    said = environment.run("bash", "-c", f"exec 2>&1\n{script(README)}", cwd=tmp_path).stdout
    outputs = re.split(rf"^{END} (\d+)\n", said, flags=re.MULTILINE)
    shown = [
        step
        for block in blocks(README)
        if block.language == "console"
        for step in steps(block.text)
    ]
    assert len(outputs) == 2 * len(shown) + 1, said
    for step, output, code in zip(shown, outputs[::2], outputs[1::2], strict=False):
        assert re.fullmatch(pattern(step.output), output), f"$ {step.command}\n{output}"
        assert code == "0", f"$ {step.command}\n{output}"


# How the blocks are read


def test_a_console_block_is_read_as_commands_with_their_output() -> None:
    assert steps("$ one\n$ two --x\nfirst\n\nlast\n") == [
        Step("one", ""),
        Step("two --x", "first\n\nlast\n"),
    ]


@pytest.mark.parametrize(
    ("shown", "said", "matches"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\n", "a\nb\n", False),
        ("a\n", "", False),
        ("", "", True),
        ("", "a\n", False),
        ("took ... s\n", "took 0.5 s\n", True),
        ("took ... s\n", "took\n5 s\n", False),
        ("a\n...\nd\n", "a\nb\nc\nd\n", True),
        ("a\n...\nd\n", "a\nd\n", True),
        ("a\n...\nd\n", "a\nb\n", False),
        ("(1 + 1)\n", "(1 + 1)\n", True),
        ("1.5\n", "105\n", False),
    ],
)
def test_output_is_compared_line_by_line(shown: str, said: str, matches: bool) -> None:
    assert bool(re.fullmatch(pattern(shown), said)) is matches


def test_a_page_becomes_a_script_that_writes_files_and_runs_commands(tmp_path: Path) -> None:
    page = "```yaml a/b.yaml\nx: '$1%s'\n```\n```console\n$ cat a/b.yaml\nx: '$1%s'\n$ false\n```\n"
    said = subprocess.run(
        ["bash", "-c", script(page)], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert said == f"x: '$1%s'\n{END} 0\n{END} 1\n"
