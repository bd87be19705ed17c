"""The page about moving from mercure: its example is what comes out, and it has every code."""

from __future__ import annotations

import json
import re
from pathlib import Path

from mroute.mercure.codes import MEANINGS
from tests.unit.mercure.conftest import Import

PAGE = (Path(__file__).parents[3] / "docs/how-to/move-from-mercure.md").read_text("utf-8")


def test_the_example(imported: Import) -> None:
    theirs, ours = re.findall(
        r"^```(?:json mercure|yaml mroute)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL
    )
    whole = imported(**json.loads(theirs))
    assert whole.text == ours
    assert whole.findings == ()


def test_every_code_is_explained() -> None:
    for code, meaning in MEANINGS.items():
        assert f"| `{code}` | {meaning} |\n" in PAGE
