"""The checked conditions of a rule file, kept on disk so that they need not be read again.

Knows where they are kept, and when they must not be used: by another version, with other functions,
in a file that is damaged or that somebody else could have written. Does not know how a condition is
written down (expr/stored). Nothing depends on it: whatever goes wrong here, the conditions are read
from the rule file as if there were no cache.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mroute import expr
from mroute.expr import Checked, Functions
from mroute.expr.matching import is_available
from mroute.expr.stored import FORMAT, read_back, write_down
from mroute.registry import Registry

FOLDER_VARIABLE = "MROUTE_CACHE_DIR"
"""Environment variable: the folder of the cache; empty for none."""

MAX_BYTES = 256 * 1024 * 1024
"""Bytes of the largest file that is read; ten thousand conditions take three million."""


class ConditionCache:
    """The conditions of one rule file."""

    def __init__(self, rule_file: Path, registry: Registry) -> None:
        self._functions = registry.functions
        self._key = _key(registry)
        folder = _folder()
        name = hashlib.sha256(os.fsencode(rule_file.absolute())).hexdigest()[:32]
        self._file = folder / f"{name}.json" if folder else None

    def read(self) -> dict[str, Checked]:
        """The conditions by their texts; none where there are none that can be relied on."""
        try:
            content = _own_content(self._file) if self._file else b""
            head, _, body = content.partition(b"\n")
            if head.decode("ascii") != f"{self._key} {_digest(body)}":
                return {}
            with _without_collection():
                return read_back(json.loads(body), self._functions)
        except (OSError, ValueError, RecursionError):
            return {}

    def write(self, conditions: Mapping[str, Checked]) -> None:
        """Keep ``conditions`` in place of what was kept before; where it cannot be, nothing is."""
        if self._file is None:
            return
        body = json.dumps(write_down(conditions), separators=(",", ":")).encode("ascii")
        head = f"{self._key} {_digest(body)}\n".encode("ascii")
        with suppress(OSError):
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            number, name = tempfile.mkstemp(dir=self._file.parent, prefix=".")
            try:
                with os.fdopen(number, "wb") as file:
                    file.write(head + body)
                Path(name).replace(self._file)
            except OSError:
                Path(name).unlink(missing_ok=True)
                raise


def _folder() -> Path | None:
    given = os.environ.get(FOLDER_VARIABLE)
    if given is not None:
        return Path(given) if given else None
    base = os.environ.get("XDG_CACHE_HOME", "")
    with suppress(RuntimeError):  # a service may have no home
        return (Path(base) if base else Path.home() / ".cache") / "mroute"
    return None


def _own_content(file: Path) -> bytes:
    """What is in ``file``; nothing where somebody else could have written it."""
    # Whatever it is, opening it must not wait for anybody.
    with open(os.open(file, os.O_RDONLY | os.O_NONBLOCK), "rb") as opened:  # noqa: PTH123
        status = os.fstat(opened.fileno())
        others = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if status.st_uid != os.geteuid() or others or not stat.S_ISREG(status.st_mode):
            return b""
        if status.st_size > MAX_BYTES:
            return b""
        return opened.read()


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _key(registry: Registry) -> str:
    """Changes with all that the check of a condition depends on, but for its text."""
    plugins = [(each.name, each.distribution, each.version) for each in registry.plugins]
    functions = [_declared(registry.functions, name) for name in sorted(registry.functions)]
    # Whether patterns can be searched for is a matter of the check, too.
    patterns = is_available()
    parts = (FORMAT, _code(), _dictionary(), patterns, sorted(map(str, plugins)), functions)
    return hashlib.sha256(repr(parts).encode("utf-8", "backslashreplace")).hexdigest()


def _declared(functions: Functions, name: str) -> str:
    function = functions[name]
    declared = (function.arguments, function.returns, function.pure, function.optional)
    return repr((name, function.plugin, declared))


@cache
def _code() -> tuple[tuple[str, int, int], ...]:
    """The modules of the rule language as they are: a change of their code is a change of it."""
    folder = Path(expr.__file__).parent
    found = [(path.name, path.stat()) for path in sorted(folder.iterdir()) if path.is_file()]
    return tuple((name, status.st_size, status.st_mtime_ns) for name, status in found)


def _dictionary() -> str:
    """The version of the DICOM dictionary."""
    try:
        return version("pydicom")
    except PackageNotFoundError:
        return ""


@contextmanager
def _without_collection() -> Iterator[None]:
    """Many small objects are made, none of which is garbage: looking for some takes longest."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
