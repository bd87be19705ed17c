"""Holds every task file that a test makes mroute write to the JSON Schema, and to strict JSON.

Knows the schema with the sections of the default plugins, and which files a test wrote itself:
those may be damaged. Does not know what tests are about.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from functools import cache, wraps
from pathlib import Path
from typing import Any, NoReturn

import pytest

from mroute.spool.files import Files
from mroute.spool.layout import TASK_FILE


class Watch:
    """Checks task files as they are written, and those that other processes have left.

    ``faults`` is what is wrong with those written since the last `take_faults`.
    """

    def __init__(self) -> None:
        self.faults: list[str] = []
        self._good: set[int] = set()
        self._own: set[str] = set()

    def install(self) -> None:
        """Look at everything that is written in this process from now on."""
        patch = pytest.MonkeyPatch()
        patch.setattr(Files, "write_unflushed", self._checking(Files.write_unflushed))
        for name in ("write_text", "write_bytes"):
            patch.setattr(Path, name, self._noting(getattr(Path, name)))

    def take_faults(self, folder: Path | None) -> list[str]:
        """What was wrong in this test with what was written, and with what is below ``folder``."""
        found, self.faults = self.faults, []
        for path in _task_files(folder) if folder is not None else ():
            if not any(path.parent.name.startswith(name) for name in self._own):
                found += self._faults_in(path, path.read_bytes())
        self._own.clear()
        return found

    def _checking(self, write: Callable[..., None]) -> Callable[..., None]:
        @wraps(write)
        def checked(files: Files, path: Path, content: bytes) -> None:
            if path.name == TASK_FILE:
                self.faults += self._faults_in(path, content)
            write(files, path, content)

        return checked

    def _noting(self, write: Callable[..., int]) -> Callable[..., int]:
        @wraps(write)
        def noted(path: Path, *arguments: Any, **options: Any) -> int:
            if path.name == TASK_FILE:  # by the test itself: mroute writes beside it, and renames
                self._own.add(path.parent.name)
            return write(path, *arguments, **options)

        return noted

    def _faults_in(self, path: Path, content: bytes) -> list[str]:
        if hash(content) in self._good:
            return []
        found = [f"{path}: {fault}" for fault in faults_of(content)]
        if not found:
            self._good.add(hash(content))
        return found


WATCH = Watch()
"""The one that `tests.conftest` asks after each test."""


def faults_of(content: bytes) -> list[str]:
    """What is wrong with a task file, for a program that knows JSON (RFC 8259) and the schema."""
    try:
        value = json.loads(
            content.decode("ascii"), parse_constant=_refuse, object_pairs_hook=_distinct
        )
    except ValueError as error:
        return [str(error)]
    if "\\ud" in content.decode("ascii") and _has_half_character(value):
        return ["a text has half a character"]
    return [f"{error.json_path}: {error.message}" for error in _validator().iter_errors(value)]


@cache
def _validator() -> Any:
    from jsonschema import Draft202012Validator

    from mroute.spool.taskfile import task_schema
    from tests.e2e.sites import plugins_with

    schema = task_schema(plugins_with()[1])
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"'{constant}' is not a number of JSON")


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("a key is there twice")
    return content


def _has_half_character(value: Any) -> bool:
    text = json.dumps(value, ensure_ascii=False)
    return any("\ud800" <= character <= "\udfff" for character in text)


def _task_files(folder: Path) -> Iterable[Path]:
    for found, _, names in os.walk(folder):
        if TASK_FILE in names:
            yield Path(found, TASK_FILE)
