"""The target type ``dummy``: takes everything and keeps nothing, to try out rules.

Knows how to refuse, so that retries can be tried out too. Does not know why anybody would.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mroute.api import DeliveryError, Shipment, TargetBase, WorkContext


class DummyTarget(TargetBase):
    """A target that takes everything and keeps nothing."""

    type: Literal["dummy"]
    fail: str = Field(
        "",
        description="Refuse everything with this text, to try out retries. Empty: take everything.",
        examples=["the archive is down"],
    )


def send_to_dummy(shipment: Shipment, target: DummyTarget, context: WorkContext) -> None:
    """Do nothing; raises `DeliveryError` where the target is told to refuse."""
    if target.fail:
        raise DeliveryError(target.fail)
