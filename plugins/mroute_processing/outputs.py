"""The files that a module leaves in its output folder: images, a result, and what must not be.

Knows which of them are images of the task afterwards. Does not know modules or tasks.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from pydantic import JsonValue

from mroute.api import MrouteError

RESULT_FILE = "result.json"
TAGS_SUFFIX = ".tags"
_NO_IMAGES = frozenset({RESULT_FILE, "task.json"})
_RESERVED = frozenset({"reason.json"})
_LARGEST_RESULT = 1_000_000
"""Bytes of a result that go into task.json."""


class ModuleError(MrouteError):
    """A module failed, or what it left cannot be used."""


def refuse_strange_output(folder: Path) -> None:
    """Raise `ModuleError` where there is anything in ``folder`` that cannot be part of a task.

    A link could lead to any file of this machine, which would then be sent away.
    """
    for path in (folder, *_left_in(folder)):
        if path.is_symlink():
            raise ModuleError(f"it left the link {path.name!a}, expected files of its own")
        if path != folder and not path.is_file():
            raise ModuleError(f"it left {path.name!a}, which is no file, expected files only")
        if path.name in _RESERVED or not path.name.isprintable():
            raise ModuleError(f"it left a file named {path.name!a}, which no image can be called")


def image_names(folder: Path) -> list[str]:
    """The names of the images in ``folder``, sorted."""
    return [path.name for path in _left_in(folder) if _is_image(path)]


def file_names(folder: Path) -> list[str]:
    """The names of the images in ``folder`` and of the tags beside them, sorted."""
    images = set(image_names(folder))
    stems = {name.removesuffix(".dcm") for name in images}
    return [
        path.name
        for path in _left_in(folder)
        if path.name in images
        or (path.suffix == TAGS_SUFFIX and path.name.removesuffix(TAGS_SUFFIX) in stems)
    ]


def read_result(folder: Path) -> JsonValue:
    """What the module wrote into ``result.json``; None where it wrote none.

    Raises `ModuleError` where that is no JSON, or too much to be kept in the task file.
    """
    path = folder / RESULT_FILE
    if not path.exists():
        return None
    if path.stat().st_size > _LARGEST_RESULT:
        raise ModuleError(f"its {RESULT_FILE} has more than {_LARGEST_RESULT} bytes")
    try:
        result: JsonValue = json.loads(path.read_bytes(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ModuleError(f"its {RESULT_FILE} is no JSON: {error}") from error
    return result


def flush_folder(folder: Path) -> None:
    """Make the files in ``folder`` and their names last through a loss of power."""
    for path in (*folder.iterdir(), folder):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _left_in(folder: Path) -> list[Path]:
    """Everything that is not hidden."""
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _is_image(path: Path) -> bool:
    return path.name not in _NO_IMAGES and path.suffix != TAGS_SUFFIX


def _refuse_constant(name: str) -> JsonValue:
    raise ValueError(f"it has '{name}', which JSON does not know")
