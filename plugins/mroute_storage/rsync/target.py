"""The model of a target of the type ``rsync``.

Knows what a person may say about a folder and the machine that it is on. Does not know how anything
is sent there.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, StrictBool, model_validator

from mroute.api import Duration, FilePath, TargetBase
from mroute_storage.layout import Layout
from mroute_storage.placement import Exclude

_OF_HOST = ("user", "port", "key", "known_hosts", "connect_timeout")


class RsyncTarget(TargetBase):
    """A folder that rsync writes into, on another machine over SSH or on this one."""

    type: Literal["rsync"]
    # These go into command lines: there is nothing in them that a shell or ssh would act on.
    host: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9:][A-Za-z0-9.:_-]*$",
        description="The machine that the folder is on; this one if not given.",
        examples=["archive.example"],
    )
    user: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9_][A-Za-z0-9._@-]*$",
        description="Who logs in there; the user that mroute runs as if not given.",
        examples=["mroute"],
    )
    port: int = Field(22, ge=1, le=65_535, description="Its port for SSH.", examples=[22])
    path: str = Field(
        pattern=r"^[\w./+@=,][\w./+@=,:-]*$",
        description="The folder. A relative one is in the home folder of the user. Where it is "
        "missing it is made, if the folder above it is there.",
        examples=["/data/archive"],
    )
    key: FilePath | None = Field(
        None,
        description="The private key of the user, which has no password: nobody would be asked. "
        "Those that ssh finds if not given.",
        examples=["ssh/mroute"],
    )
    known_hosts: FilePath | None = Field(
        None,
        description="The file with the key of the machine, as ssh has it, which is always checked; "
        "those of the user and of the system if not given.",
        examples=["ssh/known_hosts"],
    )
    layout: Layout = Field(
        "{task_id}",
        description="Folders below it that images go to, with tags by keyword, and `task_id`, in "
        "braces.",
    )
    exclude: Exclude = ()
    fsync: StrictBool = Field(
        True,
        description="Whether an image survives a loss of power before it counts as stored. Needs "
        "rsync 3.2.4 at both ends.",
        examples=[False],
    )
    connect_timeout: Duration = Field(
        timedelta(seconds=10),
        ge=timedelta(seconds=1),
        description="Time for a connection to come about.",
        examples=["10s"],
    )
    timeout: Duration = Field(
        timedelta(seconds=60),
        ge=timedelta(seconds=1),
        description="Time in which nothing moves after which a transfer is given up.",
        examples=["60s"],
    )
    after: tuple[Annotated[str, Field(min_length=1)], ...] = Field(
        (),
        description="A program with its arguments that is run at the host when all images of a "
        "task are there. `{folder}` in them is the folder that all of them are in, `{task_id}` the "
        "id of the task.",
        examples=[["/opt/archive/take", "{folder}", "{task_id}"]],
    )
    after_here: StrictBool = Field(
        False, description="Whether `after` is run on this machine.", examples=[True]
    )
    after_timeout: Duration = Field(
        timedelta(minutes=10),
        description="Time for `after`; it is ended then, and run again later.",
        examples=["10m"],
    )

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.host is not None:
            return self
        for name in _OF_HOST:
            if name in self.model_fields_set:
                raise ValueError(f"'{name}' is about another machine; say 'host', or leave it out")
        if not self.path.startswith("/"):
            raise ValueError("expected a whole path, such as '/data/archive', or a 'host'")
        return self

    @property
    def is_remote(self) -> bool:
        """Whether the folder is on another machine."""
        return self.host is not None

    @property
    def place(self) -> str:
        """The folder and where it is, for messages."""
        return f"'{self.path}' at {self.host}:{self.port}" if self.host else f"'{self.path}'"

    @property
    def address(self) -> str:
        """What rsync puts before a path."""
        if self.host is None:
            return ""
        return f"[{self.host}]:" if ":" in self.host else f"{self.host}:"
