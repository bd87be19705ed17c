"""What can be told of a rule file whose rules are broken, or not looked at: spool and times.

Knows which keys are read without the rules. Does not know rules, targets or plugins.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mroute.config.configuration import Timing
from mroute.config.source import read_source
from mroute.models import Durability


@dataclass(frozen=True, slots=True)
class Outline:
    """The spool of a rule file, an absolute path, and the settings by which it is worked on.

    ``targets`` are the names of the targets, in the order of the file. A section that cannot be
    used counts as left out.
    """

    spool: Path
    timing: Timing
    durability: Durability = Durability.POWER
    targets: tuple[str, ...] = ()


def outline(file: Path) -> Outline:
    """The outline of a rule file.

    Raises `ConfigurationError` where the file cannot be read at all.
    """
    content = read_source(file).root.value
    spool = content.get("spool")
    folder = Path(spool) if isinstance(spool, str) and spool else Path("spool")
    return Outline(
        file.absolute().parent / folder,
        _timing(content.get("timing")),
        _durability(_mapping(content.get("settings")).get("durability")),
        tuple(map(str, _mapping(content.get("targets")))),
    )


def _mapping(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _timing(value: Any) -> Timing:
    try:
        return Timing.model_validate(value)
    except ValidationError:
        return Timing()


def _durability(value: Any) -> Durability:
    return Durability(value) if value in frozenset(Durability) else Durability.POWER
