"""``mroute validate-rules`` on rule files made of the fixtures prints the golden messages.

Knows where in a file an expression of tests/fixtures/errors is written, so that every place moves
from the expression to the file. Does not know the messages.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mroute.expr import Language
from tests.unit.expr.test_messages import LANGUAGES, golden

INDENT = 6
"""Columns that a block of YAML is indented by."""

CONDITION = "  {name}:\n    action: discard\n    when: "
COMPLETION = (
    "  {name}:\n    action: discard\n    when: 'True'\n    on: study\n"
    "    study:\n     complete: received_series\n     series: "
)


class Written:
    """A rule file with a rule for each expression of a fixture, and what is said about it."""

    def __init__(self, name: str) -> None:
        self.name = f"{Path(name).stem}.yaml"
        self.text = "version: 1\nrules:\n"
        self.expected: list[str] = []
        for number, (language, expression, messages) in enumerate(golden(name)):
            head = COMPLETION if language is Language.COMPLETION else CONDITION
            self.text += head.format(name=f"rule-{number}")
            if expression.strip():
                self._block(expression, messages)
            else:
                self._quoted(expression, messages)

    def _block(self, expression: str, messages: str) -> None:
        first = self.text.count("\n") + 1
        lines = [" " * INDENT + line for line in expression.split("\n")]
        self.text += f"|{INDENT - 4 if ' when: ' in self.text[-12:] else INDENT - 5}-\n"
        self.text += "".join(f"{line}\n" for line in lines)
        for line in messages.split("\n"):
            self.expected.append(self._moved(line, first))

    def _moved(self, line: str, first: int) -> str:
        """A line of a message, at its place in the file."""
        if place := re.match(r"(\d+):(\d+)(: (?:error|warning): )", line):
            at = f"{self.name}:{first + int(place[1])}:{int(place[2]) + INDENT}"
            return at + place[3] + line[place.end() :]
        if source := re.match(r" *(\d+) \| ", line):
            return f"{first + int(source[1]):>5} | {' ' * INDENT}{line[source.end() :]}"
        if line.startswith("      | "):
            return f"      | {' ' * INDENT}{line[8:]}"
        return line

    def _quoted(self, expression: str, messages: str) -> None:
        """An expression of blanks alone; a block of YAML would lose them."""
        line = self.text.count("\n") + 1
        self.text += f"'{expression}'\n"
        written = self.text.split("\n")[line - 1]
        # The first character of the text; where there is none, the quote.
        column = written.index("'") + 1 + bool(expression)
        head, *rest = messages.split("\n")
        self.expected += [
            f"{self.name}:{line}:{column}{head.removeprefix('1:1')}",
            f"{line:>5} | {written}",
            f"      | {' ' * (column - 1)}^",
            *rest,
        ]


FILES = {name: Written(name) for name in LANGUAGES}


LARGE = {
    "\0tags.Modality == 'MR'": ["1: error: hidden character U+0000 [MR114]"],
    "tags.Modality == \udcb1": [
        r"0: error: the text holds '\udcb1', which is half a character [MR201]",
        "18: error: 'U+DCB1' has no meaning outside quotes [MR107]",
    ],
    "(" * 10_000 + "True" + ")" * 10_000: [
        "101: error: brackets are nested more than 100 deep [MR103]"
    ],
    "x" * 1_048_576: [
        "1: error: the expression has 1,048,576 characters, at most 32,768 are allowed [MR102]"
    ],
}
"""What no fixture can hold, with the messages; their columns are those of the expression."""


def large() -> str:
    """A rule file in JSON, where a text may hold anything."""
    rules = {f"rule-{n}": {"when": text, "action": "discard"} for n, text in enumerate(LARGE)}
    return json.dumps({"version": 1, "rules": rules}, indent=1)


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What one run of the command prints about each file."""
    folder = tmp_path_factory.mktemp("golden")
    for file in FILES.values():
        (folder / file.name).write_text(file.text, "utf-8", newline="\n")
    (folder / "large.json").write_text(large())
    names = [*(file.name for file in FILES.values()), "large.json"]
    done = subprocess.run(
        [Path(sys.executable).with_name("mroute"), "validate-rules", *names],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        # Only what the files need: the functions of other plugins would be named in hints.
        env={"MROUTE_LOAD_PLUGINS": "dicom,discard,studies", "PYTHONUTF8": "1"},
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in done.stdout.split("\n"):
        if closing := re.fullmatch(r"(\w+\.\w+): \d+ errors?, \d+ warnings?", line):
            found[closing[1]] = lines
            lines = []
        else:
            lines.append(line)
    return found


@pytest.mark.parametrize("name", LANGUAGES)
def test_the_command_prints_the_golden_messages(name: str, printed: dict[str, list[str]]) -> None:
    file = FILES[name]
    assert printed[file.name] == file.expected


def test_what_no_fixture_holds_is_refused_in_few_words(printed: dict[str, list[str]]) -> None:
    lines = [line for line in printed["large.json"] if line.startswith("large.json:")]
    expected = []
    for number, (expression, messages) in enumerate(LARGE.items()):
        for message in messages:
            column, words = message.split(":", 1)
            before = '   "when": "' + json.dumps(expression[: max(0, int(column) - 1)])[1:-1]
            place = f"{5 + 4 * number}:{len(before) + (column != '0')}"
            expected.append(f"large.json:{place}:{words}")
    assert lines == expected
    assert all(len(line) < 1_000 for line in printed["large.json"])


def test_every_message_of_the_fixtures_is_in_a_file() -> None:
    assert sum(len(golden(name)) for name in LANGUAGES) >= 120
    for name, file in FILES.items():
        assert file.text.count("action: discard") == len(golden(name))
        assert json.dumps(file.expected).count(".yaml:") >= len(golden(name))
