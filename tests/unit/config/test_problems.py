"""What is said about broken files, word for word, as it is written in ``problems/*.txt``.

Each case is the text, a line ``----``, and the problems as ``line:column code message | hint``;
``====`` begins the next. The cases of ``rules.txt`` are the body of a rule named ``r`` behind
`BEFORE`. A case without problems is a file that is fine.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from mroute.config.codes import Code
from mroute.errors import Severity
from tests.unit.config.conftest import Site

FOLDER = Path(__file__).parent / "problems"
BEFORE = """\
version: 1
targets:
  pacs: {type: dicom, host: h, port: 104, aet: PACS}
  attic: {type: folder, path: attic}
modules:
  seg: {runner: command, command: [segment]}
rules:
"""
SUFFIXES = {"json": "json", "toml": "toml", "yaml": "yaml", "sections": "yaml"}


def cases(name: str) -> list[tuple[str, list[str]]]:
    found = []
    for case in (FOLDER / f"{name}.txt").read_text("utf-8").split("====\n"):
        text, _, problems = case.partition("----\n")
        found.append((text, problems.splitlines()))
    return found


def said(site: Site, text: str, name: str = "mroute.yaml") -> list[str]:
    return [line.removesuffix(" | ") for line in site.said(text, name)]


def test_no_file_is_forgotten() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == {"rules", *SUFFIXES}


@pytest.mark.parametrize(("rule", "problems"), cases("rules"))
def test_a_rule(site: Site, rule: str, problems: list[str]) -> None:
    text = f"{BEFORE}  r:\n{textwrap.indent(rule, '    ')}"
    assert said(site, text) == problems


@pytest.mark.parametrize(
    ("suffix", "text", "problems"),
    [(suffix, *case) for name, suffix in SUFFIXES.items() for case in cases(name)],
)
def test_a_file(site: Site, suffix: str, text: str, problems: list[str]) -> None:
    assert said(site, text, f"mroute.{suffix}") == problems


def test_most_codes_have_a_case() -> None:
    texts = "".join(path.read_text("utf-8") for path in FOLDER.iterdir())
    elsewhere = {Code.UNREADABLE, Code.NESTING, Code.SPOOL_MOVED}
    elsewhere |= {Code.PLUGIN_NAME, Code.PLUGIN_FAILED}
    elsewhere |= {Code.EMPTY_EXPRESSION, Code.NESTED_CONDITION}  # test_study.py
    elsewhere |= {Code.CHANNEL_LACKS}  # test_channels.py
    assert {code for code in Code if f" {code} " not in texts} == elsewhere


def test_a_problem_shows_the_line_with_a_caret(site: Site) -> None:
    path = site.write("version: 1\nrules:\n  a:\n    when: tags.Modality = 'MR'\n")
    missing, wrong = site.problems(path.read_bytes())
    assert wrong.render() == (
        f"{path}:4:25: error: '=' is no operator here [MR106]\n"
        "    4 |     when: tags.Modality = 'MR'\n"
        "      |                         ^\n"
        "  hint: compare with '==', not '='"
    )
    assert (missing.severity, missing.length, missing.source) == (Severity.ERROR, 1, "  a:")


def test_problems_are_in_the_order_of_the_file(site: Site) -> None:
    text = (
        "version: 1\nrules:\n  a: {when: tags.Foo == 1, action: nothing}\n"
        "  b: {when: tags.Bar == 1, action: route, targets: [x], extra: 1}\nspol: 3\n"
    )
    places = [(problem.line, problem.column) for problem in site.problems(text)]
    assert places == sorted(places)
    assert [problem.code for problem in site.problems(text)] == [
        "MR120",
        "MR215",
        "MR120",
        "MR220",
        "MR210",
        "MR210",
    ]


def test_a_value_can_do_nothing_to_a_terminal(site: Site) -> None:
    text = 'version: 1\nrules:\n  a: {when: "True", action: "\\e[31m\\n", "\\e": 1}\n'
    [problem] = site.problems(text)
    assert problem.message == (
        r"unknown action '\x1b[31m\n', expected one of 'archive', 'both', 'discard', 'route'"
    )
    [problem] = site.problems(b'{"version": 1, "rules": {"\x9b": {"when": "True"}}}', "m.json")[:1]
    assert problem.code == "MR201"


def test_a_long_value_is_cut_and_a_long_line_is_not_shown(site: Site) -> None:
    [warning, problem] = site.problems(f"version: 1\nspool: [{'x' * 1000}]\ntiming: {'y' * 300}\n")[
        :2
    ]
    assert (warning.code, problem.code) == ("MR223", "MR212")
    assert problem.message == "expected a path for 'spool', not a list"
    assert (problem.line, problem.column, problem.source) == (2, 8, "")
    last = site.problems(f"version: 1\nrules: {'y' * 300}\n")[-1]
    assert last.message == f"expected a mapping for 'rules', not '{'y' * 57}...'"
