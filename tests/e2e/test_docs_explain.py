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
PAGES = {
    "find-out-why": 12,
    "look-after-the-spool": 19,
    "find-out-what-is-wrong": 7,
    "collect-studies": 16,
    "receive-and-deliver-over-dicom": 2,
    "deliver-over-the-web": 7,
    "deliver-files": 5,
    "deliver-to-object-stores-and-by-rsync": 5,
    "tell-what-happened": 19,
}
"""The pages of how-to whose commands are run, and how many they have."""


def section(command: str) -> str:
    """What the page of commands says about a command."""
    found = re.search(rf"^## `mroute {command} .*?(?=^## )", COMMANDS, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found.group()


def how_to(name: str) -> str:
    """A page of how-to."""
    return (ROOT / "docs" / "how-to" / f"{name}.md").read_text("utf-8")


def shown(page: str) -> list[Step]:
    consoles = [block for block in blocks(page) if block.language == "console"]
    return [step for block in consoles for step in steps(block.text)]


@pytest.mark.parametrize(
    ("page", "number"),
    [
        (section("try"), 5),
        *((how_to(name), number) for name, number in PAGES.items()),
    ],
    ids=["commands", *PAGES],
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
