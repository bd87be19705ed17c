"""A file that is kept for a rule file, so that what it holds need not be found out again.

Knows where it is, and when it must not be used: by another version, with other functions, where it
is damaged or somebody else could have written it. Does not know what is in it (cache). Nothing
depends on it: whatever goes wrong here, there is no such file.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
import tempfile
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mroute import expr, ruleset
from mroute.expr import Functions
from mroute.expr.matching import is_available
from mroute.registry import Registry

FOLDER_VARIABLE = "MROUTE_CACHE_DIR"
"""Environment variable: the folder of the cache; empty for none."""

MAX_BYTES = 256 * 1024 * 1024
"""Bytes of the largest file that is read; ten thousand conditions take three million."""


class KeptFile:
    """What is kept of one ``kind`` for a rule file, written in the format of number ``form``."""

    def __init__(self, rule_file: Path, registry: Registry, kind: str, form: int) -> None:
        self._key = _key(registry, kind, form)
        folder = _folder()
        name = hashlib.sha256(os.fsencode(rule_file.absolute())).hexdigest()[:32]
        self._file = folder / f"{name}.{kind}.json" if folder else None

    def read(self) -> Any:
        """What JSON holds; None where there is nothing that can be relied on."""
        try:
            content = _own_content(self._file) if self._file else b""
            head, _, body = content.partition(b"\n")
            if head.decode("ascii") != f"{self._key} {_digest(body)}":
                return None
            return json.loads(body.decode("utf-8", "surrogatepass"))
        except (OSError, ValueError, RecursionError):
            return None

    def write(self, content: Any) -> None:
        """Keep ``content`` in place of what was kept before; where it cannot be, nothing is."""
        if self._file is None:
            return
        # As they are, for the escapes of two halves of a character would be read back as one.
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        body = text.encode("utf-8", "surrogatepass")
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


def _key(registry: Registry, kind: str, form: int) -> str:
    """Changes with all that what is kept depends on, but for the texts of the conditions."""
    plugins = [(each.name, each.distribution, each.version) for each in registry.plugins]
    functions = [_declared(registry.functions, name) for name in sorted(registry.functions)]
    # Whether patterns can be searched for is a matter of the check, too.
    patterns = is_available()
    parts = (
        kind,
        form,
        sys.version_info[:3],
        _code(),
        _dictionary(),
        patterns,
        sorted(map(str, plugins)),
        functions,
    )
    return hashlib.sha256(repr(parts).encode("utf-8", "backslashreplace")).hexdigest()


def _declared(functions: Functions, name: str) -> str:
    function = functions[name]
    declared = (function.arguments, function.returns, function.pure, function.optional)
    return repr((name, function.plugin, declared))


@cache
def _code() -> tuple[tuple[str, int, int], ...]:
    """The modules that made it as they are: a change of their code is a change of it."""
    folders = [Path(str(package.__file__)).parent for package in (expr, ruleset)]
    paths = [path for folder in folders for path in sorted(folder.iterdir()) if path.is_file()]
    found = [(path.name, path.stat()) for path in paths]
    return tuple((name, status.st_size, status.st_mtime_ns) for name, status in found)


def _dictionary() -> str:
    """The version of the DICOM dictionary."""
    try:
        return version("pydicom")
    except PackageNotFoundError:
        return ""
