"""The names of the spool: every folder and file that mroute makes in it is named here.

Knows where things are. Does not know what happens to them.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from urllib.parse import quote

from mroute.errors import SpoolError
from mroute.names import safe_name
from mroute.spool.mounts import unsafe_places
from mroute.types import Finish

TASK_FILE = "task.json"
REASON_FILE = "reason.json"
TAGS_SUFFIX = ".tags"
FORCE_RULE_FILE = ".force-rule"
"""In a series folder: the name of the only rule to apply. Whoever can write it is trusted."""
HALT_FILE = "HALT"
"""In a queue: no further task is started."""
HALTED_SUFFIX = ".halt"
"""Of the file about a target to which nothing is sent."""
LEASE_FILE = ".lease"
MANIFEST_FILE = "manifest.json"
"""In a claim: what its commit makes true. Where it is there, all of that is staged."""
UNWANTED_MARK = "unwanted"
"""In a claim: an administrator has claimed it, and wants it in ``discard/``."""
JOINING_PREFIX = ".joining-"
"""In a collecting study: a claim has a place in it, so that it must not be taken away now."""
FORCE_COMPLETE_FILE = ".force-complete"
"""In a collecting study: an administrator wants it to go on as it is."""
STAGED_PREFIXES = ("task-", "study-", "delivery-")
"""In a claim: of the names of what waits there to be published."""
SOURCE_PREFIX = "source-"
"""In a claim: of the name of the claimed folder."""
PARTIAL_SUFFIX = ".part"
PROBE_PREFIX = ".doctor-"
"""Of a file that is there for an instant, to find out whether a folder can be written."""
COPIED_PREFIX = ".copied-"
"""Of a folder that was copied to another file system, and is to be removed here.

Hidden: what others name must never be taken for it.
"""


@dataclass(frozen=True, slots=True)
class Spool:
    """The folders of the spool at ``root``."""

    root: Path

    @property
    def incoming(self) -> Path:
        """Series as they arrive, a folder each."""
        return self.root / "incoming"

    @property
    def studies(self) -> Path:
        """Collecting studies, a folder each."""
        return self.root / "studies"

    @property
    def gone_on(self) -> Path:
        """What is remembered of studies that have gone on, a file each."""
        return self.studies / ".gone-on"

    @property
    def outbox(self) -> Path:
        """Notifications that wait to be delivered, a file each."""
        return self.root / "outbox"

    @property
    def staging(self) -> Path:
        """Claims: what is being routed."""
        return self.root / ".staging"

    @property
    def locks(self) -> Path:
        """Lock files that are never removed."""
        return self.root / ".staging" / "locks"

    @property
    def workspace(self) -> Path:
        """Where services put what they are receiving; whole images are moved on from there."""
        return self.locks / "receiving"

    @property
    def targets(self) -> Path:
        """What the routers of the spool know of targets: which are halted, down or busy."""
        return self.locks / "targets"

    def target_file(self, name: str, suffix: str) -> Path:
        """The file about a target, whose name may be anything."""
        return self.targets / f"{quote(name, safe='')}{suffix}"

    @property
    def runs(self) -> Path:
        """The runs that share the spool, two files each."""
        return self.locks / "runs"

    def queue(self, name: str) -> Path:
        """The folder of a queue, or of one of `Finish`."""
        return self.root / safe_name(name, "queue name")

    def study(self, study_uid: str, rule_name: str) -> Path:
        """The folder in which the study is collected for the rule.

        Raises `UnsafeNameError` for a StudyInstanceUID that must not become a path.
        """
        uid = safe_name(study_uid, "StudyInstanceUID")
        return self.studies / f"{uid}#{safe_name(rule_name, 'rule name')}"

    def prepare(self, queues: Iterable[str]) -> None:
        """Make the folders that are missing.

        Raises `SpoolError` where the spool cannot be made, written or used safely.
        """
        names = tuple(queues)
        for complaint in chain(self.mend(names), self.misplaced(names)):
            raise SpoolError(complaint)

    def mend(self, queues: Iterable[str]) -> Iterator[str]:
        """Make the folders that are missing; gives a sentence for each that cannot be used."""
        for folder in self.folders(queues):
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                yield (
                    f"the spool '{self.root}' cannot be made: {error.strerror or error} "
                    f"('{error.filename}'); check the path under 'spool' and its permissions"
                )
                continue
            if not os.access(folder, os.W_OK | os.X_OK):
                yield (
                    f"the spool folder '{folder}' cannot be written; "
                    "give this user the permission to write there"
                )

    def misplaced(self, queues: Iterable[str]) -> Iterator[str]:
        """A sentence for each folder that is on a file system on which it must not be."""
        yield from unsafe_places(self.folders(queues))
        apart = [self.staging, self.incoming, self.studies, self.outbox]
        devices = {folder: folder.stat().st_dev for folder in apart if folder.exists()}
        for folder, device in devices.items():
            if device != devices.get(self.staging, device):
                yield (
                    f"the spool folder '{folder}' is on another file system than "
                    f"'{self.staging}'; images are renamed from one to the other, so put "
                    "'incoming', 'studies', 'outbox' and '.staging' on one"
                )

    def folders(self, queues: Iterable[str]) -> list[Path]:
        """Every folder that `prepare` makes."""
        about = [self.staging, self.locks, self.runs, self.targets, self.workspace]
        own = [self.incoming, self.studies, self.outbox, *about]
        return [*own, *(self.queue(name) for name in (*queues, *Finish))]

    def strangers(self, queues: Collection[str]) -> list[Path]:
        """What lies in the spool and nobody works on, sorted.

        Folders that are no queue's, the tasks of a plugin that was uninstalled say, and files among
        the tasks of a queue.
        """
        own = {"incoming", "studies", "outbox", *Finish, *queues}
        found = [
            path
            for path in self.root.iterdir()
            if path.name not in own and not path.name.startswith(".")
        ]
        for folder in (self.studies, *(self.queue(name) for name in queues)):
            found += [
                path
                for path in (folder.iterdir() if folder.is_dir() else ())
                if path.is_file() and path.name != HALT_FILE and not path.name.startswith(".")
            ]
        return sorted(found)


def tags_name(image: str) -> str:
    """The name of the tags file beside an image: ``a.dcm`` has ``a.tags``, ``IM1`` ``IM1.tags``."""
    return image.removesuffix(".dcm") + TAGS_SUFFIX


def tags_file(image: Path) -> Path:
    """The tags file beside an image."""
    return image.with_name(tags_name(image.name))
