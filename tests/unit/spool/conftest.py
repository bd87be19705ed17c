"""A spool in a temporary folder, and series in it.

Knows how a receiver leaves a series. Does not know what is tested with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from mroute.models import Durability
from mroute.spool.files import Files
from mroute.spool.layout import Spool

UID = "1.2.826.0.1"
MakeSeries = Callable[..., Path]


def left_in_staging(spool: Spool) -> list[str]:
    """What is in ``.staging/`` but the folders that are always there."""
    return sorted({path.name for path in spool.staging.iterdir()} - {"locks", "runs"})


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    spool = Spool(tmp_path / "spool")
    spool.prepare(["outgoing", "processing"])
    return spool


@pytest.fixture
def files() -> Files:
    return Files(Durability.PROCESS)


@pytest.fixture
def make_series(spool: Spool) -> MakeSeries:
    return partial(drop_series, spool)


def drop_series(
    spool: Spool, uid: str = UID, images: int = 3, study: str = "1.2.3", **tags: str
) -> Path:
    """Make a series folder in ``incoming/`` of the spool; returns it."""
    folder = spool.incoming / uid
    folder.mkdir()
    for number in range(images):
        name = f"{uid}#{number}"
        (folder / f"{name}.dcm").write_bytes(f"image {number} of {uid}".encode())
        content = {"SeriesInstanceUID": uid, "StudyInstanceUID": study, **tags}
        (folder / f"{name}.tags").write_text(json.dumps(content))
    return folder
