"""The layers of blueprint section 3: import-linter keeps them, and finds what breaks them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def lint(tree: Path) -> str:
    """What import-linter says about a tree with ``pyproject.toml``, ``mroute`` and ``plugins``."""
    return subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": "plugins", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    ).stdout


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what import-linter reads."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for folder in ("mroute", "plugins"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("*.pyc"))
    return tmp_path


def append(file: Path, line: str) -> None:
    with file.open("a", encoding="utf-8") as stream:
        stream.write(f"\n{line}\n")


def test_no_contract_is_broken() -> None:
    assert "Contracts: 5 kept, 0 broken." in lint(ROOT)


@pytest.mark.parametrize(
    ("file", "line", "finding"),
    [
        (
            "mroute/errors.py",
            "import mroute.registry",
            "mroute.errors is not allowed to import mroute.registry",
        ),
        (
            "mroute/spool/layout.py",
            "import mroute.config",
            "mroute.spool is not allowed to import mroute.config",
        ),
        ("mroute/unplaced.py", "", "- mroute.unplaced"),
        (
            "mroute/cli/__init__.py",
            "import mroute.testing",
            "mroute.cli is not allowed to import mroute.testing",
        ),
        (
            "mroute/service.py",
            "import mroute_discard",
            "mroute is not allowed to import mroute_discard",
        ),
        (
            "plugins/mroute_log/__init__.py",
            "import mroute.types",
            "mroute_log is not allowed to import mroute",
        ),
        (
            "plugins/mroute_log/__init__.py",
            "import mroute_discard",
            "mroute_log is not allowed to import mroute_discard",
        ),
    ],
)
def test_a_forbidden_import_is_found(tree: Path, file: str, line: str, finding: str) -> None:
    append(tree / file, line)
    said = lint(tree)
    assert finding in said
    assert ", 0 broken." not in said
