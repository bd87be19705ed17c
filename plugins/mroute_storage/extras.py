"""Libraries that a type of target needs and an installation may not have.

Knows how they are installed. Does not load them: that takes time, and is done when one is used.
"""

from __future__ import annotations

from importlib.util import find_spec


def require(library: str, extra: str) -> None:
    """Raise `ValueError` with a sentence where a library is not installed."""
    if find_spec(library) is None:
        raise ValueError(
            f"a target of type '{extra}' needs the library {library}; pip install 'mroute[{extra}]'"
        )
