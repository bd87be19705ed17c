"""One transfer: images under the names that they are to have, and which of them are there then.

Knows how rsync tells that an image has arrived: it is given a tree of links, and removes each link
when the other end has confirmed the file. Does not know what is reported to whom.
"""

from __future__ import annotations

import re
import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from mroute_storage.placement import Placement
from mroute_storage.rsync.commands import destination, rsync_command
from mroute_storage.rsync.running import failure, run
from mroute_storage.rsync.target import RsyncTarget

_LINKS = ".rsync-"
_FILES = ("--recursive", "--copy-links", "--keep-dirlinks", "--whole-file")
_SENDS = ("--times", "--omit-dir-times", "--ignore-existing", "--remove-source-files")
_COMPARES = ("--checksum", "--dry-run", "-ii", "--out-format=%i %n")
_SAME = re.compile(r"^\.f\S* +(.*)$", re.MULTILINE)
"""A file that is there with the content that it should have; the name is the rest of the line."""


def transfer(
    task: Path,
    target: RsyncTarget,
    wanted: Mapping[str, Placement],
    arrived: Callable[[Placement], None],
    stop: threading.Event,
) -> tuple[Placement, ...]:
    """Send images to names below the target; returns those whose names have other content there.

    ``arrived`` is told of each that is there, as soon as that is known, also of those that were
    there before with the same content. Raises `DeliveryError` and `TargetDownError`.

    The links are in the folder of the ``task``: whoever clears temporary folders must not make it
    look as if an image had arrived.
    """
    left = dict(wanted)

    def look() -> None:
        for name in [each for each in left if not (tree / each).is_symlink()]:
            arrived(left.pop(name))

    for rest in task.glob(f"{_LINKS}*"):  # of a process that died
        shutil.rmtree(rest)
    with TemporaryDirectory(prefix=_LINKS, dir=task) as folder:
        tree = Path(folder)
        _link(tree, wanted)
        ends = (f"{folder}/", destination(target))
        flush = ("--fsync",) if target.fsync else ()
        try:
            sent = run(rsync_command(target, *_FILES, *_SENDS, *flush, *ends), stop, look)
        finally:
            look()
        if sent.code:
            raise failure(sent, target.place)
        if not left:
            return ()
        compared = run(rsync_command(target, *_FILES, *_COMPARES, *ends), stop)
        if compared.code:
            raise failure(compared, target.place)
    for name in _SAME.findall(compared.output):
        if name in left:
            arrived(left.pop(name))
    return tuple(left.values())


def _link(tree: Path, wanted: Mapping[str, Placement]) -> None:
    for name, placement in wanted.items():
        link = tree / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(placement.image.absolute())
