"""The action ``discard``: the images of the series end in the folder ``discard/``.

The smallest plugin there is, and the one to copy. Knows that there is such an action. Does not
know how a series is discarded: the core does, for every action of the phase *discard*.
"""

from __future__ import annotations

from typing import Literal

from mroute.api import ActionType, Phase, RuleBase, hookimpl


class DiscardRule(RuleBase):
    """Discard the series; no rule after this one is considered."""

    action: Literal["discard"]


@hookimpl
def mroute_actions() -> list[ActionType]:
    """Contribute the action: its name, when it acts, and what its rules look like in the file."""
    return [ActionType("discard", Phase.DISCARD, DiscardRule)]
