"""The section ``receiver`` of the settings of the plugin.

Knows what a person may say about the receiver. Does not know how anything is received.
"""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StrictBool, model_validator

from mroute.api import Duration, Model, Tls
from mroute_dicom.aetitle import AETitle

MEGABYTE = 1_000_000


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text.strip(), strict=False))
    except ValueError:
        raise ValueError("expected an IP address, or a network such as '10.1.0.0/16'") from None


Network = Annotated[str, AfterValidator(_network)]


class Backend(StrEnum):
    """Which program speaks DICOM.

    ``auto``: the one that can do all that may be asked, which is mroute itself. ``dcmtk``: DCMTK's
    ``storescp``, one process for each association. ``pynetdicom``: mroute itself.
    """

    AUTO = "auto"
    DCMTK = "dcmtk"
    PYNETDICOM = "pynetdicom"


class Allowed(Model):
    """Who may send images; an empty list stands for everybody."""

    calling: tuple[AETitle, ...] = Field(
        (), description="AE titles of senders; any if not given.", examples=[["SCANNER1"]]
    )
    called: tuple[AETitle, ...] = Field(
        (),
        description="AE titles by which the receiver may be called; any if not given.",
        examples=[["MROUTE"]],
    )
    addresses: tuple[Network, ...] = Field(
        (),
        description="IP addresses or networks of senders; any if not given.",
        examples=[["10.1.0.0/16", "192.0.2.7"]],
    )


class ReceiverSettings(Model):
    """A Storage SCP: images arrive by C-STORE."""

    port: int = Field(ge=1, le=65_535, description="Its port.", examples=[104, 11112])
    bind: str = Field(
        "0.0.0.0",  # noqa: S104 - scanners are other machines
        min_length=1,
        description="The address of this machine that it listens on; all of them if not given.",
        examples=["127.0.0.1"],
    )
    allow: Allowed = Field(Allowed(), description="Who may send images; everybody if not given.")
    tls: Tls | None = Field(
        None,
        description="How connections are secured; not at all if not given. With `authorities`, "
        "senders must show a certificate.",
    )
    backend: Backend = Field(
        Backend.AUTO,
        description="Which program speaks DICOM: `pynetdicom` is mroute itself, and so is `auto`; "
        "`dcmtk` is DCMTK's `storescp`, which must be installed and needs `durability: process`.",
    )
    processes: int | None = Field(
        None,
        ge=1,
        le=64,
        description="How many processes receive; one for each processor if not given.",
        examples=[4],
    )
    max_associations: int = Field(
        50, ge=1, le=1_000, description="How many senders may send at once.", examples=[50]
    )
    max_pdu: int = Field(
        131_072,
        ge=4_096,
        le=1 << 20,
        description="Bytes of a PDU that senders may send at most.",
        examples=[131072],
    )
    max_object: int = Field(
        4_000,
        ge=1,
        description="Megabytes that an image may have; a larger one is refused.",
        examples=[4000],
    )
    min_free: int = Field(
        1_000,
        ge=0,
        description="Megabytes that must be free in the spool; with less, images are refused until "
        "there is room again, and stay with their senders.",
        examples=[1000],
    )
    compressed: StrictBool = Field(
        True, description="Whether compressed transfer syntaxes are taken."
    )
    private_sop_classes: StrictBool = Field(
        False, description="Whether SOP classes are taken that are not in the standard."
    )
    acse_timeout: Duration = Field(
        timedelta(seconds=15),
        description="Time in which a sender must ask for an association.",
        examples=["15s"],
    )
    idle_timeout: Duration = Field(
        timedelta(minutes=5),
        description="Time after which an association is ended on which nothing is sent.",
        examples=["5m"],
    )
    pdu_timeout: Duration = Field(
        timedelta(seconds=30),
        description="Time in which a PDU that has begun must be there.",
        examples=["30s"],
    )

    @model_validator(mode="after")
    def _can_do_it(self) -> Self:
        if self.tls is not None and self.tls.certificate is None:
            raise ValueError("a receiver needs a 'certificate' for TLS")
        if self.backend is Backend.DCMTK and self.tls is not None:
            raise ValueError(
                "storescp cannot check AE titles behind TLS; leave 'backend' out, or say "
                "'pynetdicom'"
            )
        if self.backend is Backend.DCMTK and "max_object" in self.model_fields_set:
            raise ValueError(
                "storescp has no limit for an image; leave 'max_object' or 'backend' out"
            )
        if self.backend is Backend.DCMTK and self.private_sop_classes:
            raise ValueError(
                "storescp takes no private SOP classes; leave 'backend' out, or say 'pynetdicom'"
            )
        return self
