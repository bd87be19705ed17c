"""The fixtures that pytest gets with mroute, for the tests of plugins.

Knows how they are made with `mroute.testing`. Does not know any plugin.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mroute.testing import MovingClock


@pytest.fixture
def mroute_clock() -> MovingClock:
    """A clock that stands still until a test moves it."""
    from mroute.testing import MovingClock

    return MovingClock()


@pytest.fixture
def mroute_dicom_file(tmp_path: Path) -> Callable[..., Path]:
    """Writes small valid DICOM files: ``mroute_dicom_file("a.dcm", Modality="CT")``.

    The name is relative to the folder of the test.
    """
    from mroute.testing import write_dicom

    def write(name: str, **elements: Any) -> Path:
        return write_dicom(tmp_path / name, **elements)

    return write
