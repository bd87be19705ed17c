"""mroute decides from the tags of DICOM series where images go and what is done with them.

Knows the names that other programs embed; they are imported on first use, so that
``import mroute`` stays cheap. Does not know how anything is done.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mroute.config import load_rules
    from mroute.expr import Outcome
    from mroute.ruleset import RuleSet
    from mroute.types import Decision

    __version__: str

__all__ = ["Decision", "Outcome", "RuleSet", "__version__", "load_rules"]

_MODULES = {
    "Decision": "mroute.types",
    "Outcome": "mroute.expr",
    "RuleSet": "mroute.ruleset",
    "load_rules": "mroute.config",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return importlib.metadata.version("mroute")
    if name in _MODULES:
        return getattr(importlib.import_module(_MODULES[name]), name)
    raise AttributeError(f"module 'mroute' has no attribute '{name}'")
