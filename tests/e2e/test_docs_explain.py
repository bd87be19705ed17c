"""The pages on ``try``, ``explain`` and the spool: their commands run, their output is compared.

Knows the pages. The blocks are read as those of the README are.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT, Environment
from tests.e2e.test_readme import END, Step, blocks, pattern, script, steps

COMMANDS = (ROOT / "docs" / "reference" / "commands.md").read_text("utf-8")
HOW_TO = (ROOT / "docs" / "how-to" / "find-out-why.md").read_text("utf-8")
STUDIES = (ROOT / "docs" / "how-to" / "collect-studies.md").read_text("utf-8")
DICOM = (ROOT / "docs" / "how-to" / "receive-and-deliver-over-dicom.md").read_text("utf-8")
WRONG = (ROOT / "docs" / "how-to" / "find-out-what-is-wrong.md").read_text("utf-8")
SPOOL = (ROOT / "docs" / "how-to" / "look-after-the-spool.md").read_text("utf-8")


def section(command: str) -> str:
    """What the page of commands says about a command."""
    found = re.search(rf"^## `mroute {command} .*?(?=^## )", COMMANDS, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found.group()


def shown(page: str) -> list[Step]:
    consoles = [block for block in blocks(page) if block.language == "console"]
    return [step for block in consoles for step in steps(block.text)]


@pytest.mark.parametrize(
    ("page", "number"),
    [(section("try"), 5), (HOW_TO, 12), (SPOOL, 19), (STUDIES, 16), (DICOM, 2), (WRONG, 7)],
    ids=["commands", "how-to", "spool", "studies", "dicom", "doctor"],
)
def test_the_page_shows_what_the_commands_print(
    page: str, number: int, environment: Environment, tmp_path: Path
) -> None:
    said = environment.run("bash", "-c", f"exec 2>&1\n{script(page)}", cwd=tmp_path).stdout
    outputs = re.split(rf"^{END} (\d+)\n", said, flags=re.MULTILINE)
    assert len(shown(page)) == number
    assert len(outputs) == 2 * number + 1, said
    for step, output, code in zip(shown(page), outputs[::2], outputs[1::2], strict=False):
        assert re.fullmatch(pattern(step.output), output), f"$ {step.command}\n{output}"
        assert code == "0", f"$ {step.command}\n{output}"


def test_every_state_of_a_rule_is_explained() -> None:
    from mroute.cli.explanation import State

    said = " ".join(section("explain").split())
    assert [state for state in State if f"`{state}`" not in said] == []


def test_every_state_of_the_spool_is_explained() -> None:
    from mroute.spool.upkeep.item import State as SpoolState

    page = (ROOT / "docs" / "reference" / "spool.md").read_text("utf-8")
    assert [state for state in SpoolState if f"`{state}`" not in page] == []
