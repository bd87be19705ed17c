"""Accounts for every image of the demonstration: what must be where, and what is.

Knows where a decision must bring an image, from the rules alone, and finds it on disk by itself.
Does not ask the router, whose work it checks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mroute.types import Decision

_UNFINISHED = ("incoming", "studies", "processing", "outgoing", "outbox", ".staging")


@dataclass(frozen=True, slots=True)
class Account:
    """``places`` maps the UID of each series to the places with the number of its images there.

    ``faults`` has a sentence for every image that is missing, doubled, or where it must not be.
    """

    images: int
    places: Mapping[str, Mapping[str, int]]
    faults: tuple[str, ...]


def images_in(folder: Path) -> Counter[str]:
    """How often each image file, by its name, is in ``folder`` or below."""
    return Counter(path.name for path in folder.rglob("*.dcm"))


def account_for(
    root: Path, images: Mapping[str, Sequence[str]], decisions: Mapping[str, Decision]
) -> Account:
    """Look for all images below the site ``root``.

    ``images`` maps the UID of a series to the names of its image files in the spool,
    ``decisions`` to what the rules said of it.
    """
    found = {
        place: images_in(root / folder)
        for place, folder in {
            "archive": "archive",
            "research": "research",
            "pacs": "pacs",
            "success": "spool/success",
            "discard": "spool/discard",
            "error": "spool/error",
        }.items()
    }
    unfinished = {place: images_in(root / "spool" / place) for place in _UNFINISHED}
    faults = [
        f"{name} was left behind in {place}/"
        for place, names in unfinished.items()
        for name in names
    ]
    places: dict[str, dict[str, int]] = {}
    for uid, names in images.items():
        expected = _expected(decisions[uid])
        counts: Counter[str] = Counter()
        for name in names:
            for place, there in found.items():
                counts[place] += bool(there[name])
                if place in expected and not there[name]:
                    faults.append(f"{name} is missing in {place}")
                # Delivered tasks rest in success/ as well, one for each delivery.
                if place != "success" and there[name] > (place in expected):
                    faults.append(f"{name} is {there[name]} times in {place}")
        places[uid] = {place: count for place, count in counts.items() if count}
    total = sum(len(names) for names in images.values())
    return Account(total, places, tuple(faults))


def _expected(decision: Decision) -> frozenset[str]:
    """The places in which each image of a series must be in the end."""
    if decision.discarded:
        return frozenset({"discard"})
    places: set[str] = set()
    for triggered in decision.rules:
        places |= set(getattr(triggered.rule, "targets", ())) or {"success"}
    return frozenset(places)
