"""The model of a target of the type ``dicom``.

Knows what a person may say about a Storage SCP. Does not know how anything is sent to it.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, StrictBool, model_validator

from mroute.api import Duration, TargetBase, Task, Tls
from mroute_dicom.aetitle import AETitle

SENDER = "sender"
"""As a host: wherever the images of the task came from."""

MISSING = "MISSING"
"""In a task file: the tag was not there."""


class TransferSyntaxes(StrEnum):
    """In which transfer syntax images are sent.

    ``as_received``: in their own; what the target does not take is refused.
    ``decompress_if_refused``: uncompressed where the target does not take their own.
    """

    AS_RECEIVED = "as_received"
    DECOMPRESS_IF_REFUSED = "decompress_if_refused"


class Backend(StrEnum):
    """Which program speaks DICOM.

    ``auto``: the best one that can do what is asked. ``dcmtk``: ``dcmsend``, which must be
    installed, and writes data sets anew. ``pynetdicom``: mroute itself; the bytes of a data set
    stay as they are.
    """

    AUTO = "auto"
    DCMTK = "dcmtk"
    PYNETDICOM = "pynetdicom"


class DicomTarget(TargetBase):
    """A DICOM Storage SCP, such as a PACS."""

    type: Literal["dicom"]
    host: str = Field(
        min_length=1,
        description="Its host name or IP address; `sender` for the address that the images came "
        "from.",
        examples=["pacs.example", "sender"],
    )
    port: int = Field(ge=1, le=65_535, description="Its port.", examples=[104, 11112])
    aet: AETitle = Field(description="Its AE title: the called one.", examples=["PACS"])
    calling_aet: AETitle = Field(
        "MROUTE", description="The AE title that mroute calls itself.", examples=["MROUTE"]
    )
    pass_sender_aet: StrictBool = Field(
        False, description="Call with the AE title of whoever sent the images to mroute."
    )
    pass_receiver_aet: StrictBool = Field(
        False, description="Call by the AE title that the images were sent to."
    )
    transfer_syntaxes: TransferSyntaxes = Field(
        TransferSyntaxes.AS_RECEIVED,
        description="`as_received`: images are sent in the transfer syntax that they have. "
        "`decompress_if_refused`: uncompressed where the target does not take that.",
    )
    tls: Tls | None = Field(
        None, description="How the connection is secured; not at all if not given."
    )
    connect_timeout: Duration = Field(
        timedelta(seconds=10), description="Time for a connection to come about.", examples=["10s"]
    )
    acse_timeout: Duration = Field(
        timedelta(seconds=15),
        description="Time for an association to come about.",
        examples=["15s"],
    )
    dimse_timeout: Duration = Field(
        timedelta(seconds=60),
        description="Time for the answer to each image. One that takes longer is sent again.",
        examples=["60s"],
    )
    backend: Backend = Field(
        Backend.AUTO,
        description="Which program speaks DICOM: `dcmtk` is `dcmsend`, which must be installed and "
        "writes data sets anew; `pynetdicom` is mroute itself; `auto` chooses.",
    )

    @model_validator(mode="after")
    def _can_do_it(self) -> Self:
        if self.backend is Backend.DCMTK and self.tls is not None:
            raise ValueError("dcmsend has no TLS; leave 'backend' out, or say 'pynetdicom'")
        return self

    def called_by(self, task: Task) -> tuple[str, str]:
        """The calling and the called AE title for a task; those of the target where none came."""
        sender, receiver = _info(task, "sender_aet"), _info(task, "receiver_aet")
        calling = sender if self.pass_sender_aet and sender else self.calling_aet
        called = receiver if self.pass_receiver_aet and receiver else self.aet
        return calling, called

    def host_for(self, task: Task) -> str:
        """The host for a task; empty where it is the sender's, and that is not known."""
        return _info(task, "sender_address") if self.host == SENDER else self.host


def _info(task: Task, key: str) -> str:
    info = task.content.get("info")
    value = info.get(key, "") if isinstance(info, dict) else ""
    return "" if value == MISSING else str(value).strip()
