"""Who else may read or write what mroute works with, by the bits of its mode.

Knows what nobody but mroute needs to see. Does not know which user mroute is (owners).
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pydantic import BaseModel

from mroute.config import Configuration
from mroute.doctor.finding import Finding, command, ok, problem, remark
from mroute.secrets import Secret
from mroute.spool.layout import HALT_FILE, Spool
from mroute.spool.upkeep.entries import Entry, entries


def check_permissions(
    file: Path, configuration: Configuration | None, spool: Spool, queues: Iterable[str]
) -> Iterator[Finding]:
    """What everybody can read or write, and should not."""
    found = [
        *_writable([file, spool.root, *spool.folders(queues)]),
        *_patients(spool),
        *_secrets(configuration),
    ]
    yield from found or [ok("others cannot write the rule file or the spool, or read of patients")]


def _writable(paths: Iterable[Path]) -> Iterator[Finding]:
    for path in paths:
        if path.exists() and path.stat().st_mode & stat.S_IWOTH:
            yield problem(
                f"'{path}' can be written by everybody", f"run {command('chmod', 'o-w', path)}"
            )


def _patients(spool: Spool) -> Iterator[Finding]:
    """Images and the like that everybody can read; a folder that nobody can enter protects them."""
    if not spool.root.exists() or not _is_open([spool.root, *spool.root.resolve().parents]):
        return
    advice = f"run {command('chmod', 'o-rwx', spool.root)}: nobody else gets at what is in it then"
    for entry in entries(spool.root):
        if _tells_of_patients(entry, spool.root) and entry.status.st_mode & stat.S_IROTH:
            inside = entry.path.relative_to(spool.root).parents
            if _is_open(spool.root / each for each in inside):
                said = f"what tells of patients can be read by everybody, such as '{entry.path}'"
                yield problem(said, advice)
                return
    yield remark(f"everybody can look into '{spool.root}'", advice)


def _secrets(configuration: Configuration | None) -> Iterator[Finding]:
    if configuration is None:
        return
    rules = [each.rule for each in configuration.rules.values()]
    places = [configuration.targets, configuration.modules, configuration.settings, rules]
    for path in dict.fromkeys(secret_files(places)):
        if path.exists() and path.stat().st_mode & stat.S_IROTH:
            yield problem(
                f"the secret in '{path}' can be read by everybody",
                f"run {command('chmod', 'o-rwx', path)}",
            )


def secret_files(value: object) -> Iterator[Path]:
    """The files of all secrets in a model, or in models in mappings and lists."""
    if isinstance(value, Secret):
        if value.file is not None:
            yield value.file
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from secret_files(getattr(value, name))
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from secret_files(each)
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from secret_files(each)


def _tells_of_patients(entry: Entry, root: Path) -> bool:
    """Whether an entry may be an image, its tags or a task: any file that is not mroute's own."""
    parts = entry.path.relative_to(root).parts
    own = entry.path.name == HALT_FILE or any(part.startswith(".") for part in parts)
    return stat.S_ISREG(entry.status.st_mode) and not own


def _is_open(folders: Iterable[Path]) -> bool:
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in folders)
