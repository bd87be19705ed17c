"""``kill -9`` at random instants: nothing is lost, sent twice or left behind.

Knows how many trials are enough. Does not know what happens in one.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.killing import Nursery, nursery, try_killing


@pytest.fixture(scope="module")
def routers() -> Iterator[Nursery]:
    with nursery() as started:
        yield started


@pytest.mark.parametrize("seed", range(25))
def test_routers_that_are_killed_at_random_account_for_every_image(
    quick_path: Path, routers: Nursery, seed: int
) -> None:
    story = try_killing(routers, quick_path / "site", seed)
    assert any("killed" in line for line in story)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1200))
def test_two_hundred_trials_more(quick_path: Path, routers: Nursery, seed: int) -> None:
    story = try_killing(routers, quick_path / "site", seed)
    assert any("killed" in line for line in story)
