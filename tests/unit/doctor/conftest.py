"""A spool, small disks that are really mounted, and folders that everybody can reach.

Knows what of a machine a test needs to plant a mistake. Does not know any check.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mroute.spool.layout import Spool

QUEUES = ("outgoing", "processing")


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    spool = Spool(tmp_path / "spool")
    spool.prepare(QUEUES)
    return spool


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a megabyte and two hundred inodes, of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = "size=1m,nr_inodes=200,mode=755"
    mount = ["mount", "-t", "tmpfs", "-o", options, "mroute-test", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody can look into, which those of pytest are not."""
    with tempfile.TemporaryDirectory(prefix="mroute-doctor-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
