"""The model of a target of the type ``sftp``.

Knows what a person may say about an SFTP server. Does not know how anything is sent to it.
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from mroute.api import Duration, FilePath, Secret, TargetBase
from mroute_storage.extras import require
from mroute_storage.layout import Layout
from mroute_storage.placement import Exclude

_PUBLIC_KEY = re.compile(r"(?:ssh-|ecdsa-|sk-)\S+ [A-Za-z0-9+/]+=*(?: .*)?")


class SftpTarget(TargetBase):
    """A folder of an SFTP server."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "sftp",
                    "host": "files.example",
                    "user": "mroute",
                    "key": "ssh/mroute",
                    "path": "/data/incoming",
                }
            ]
        }
    )

    type: Literal["sftp"]
    host: str = Field(
        min_length=1, description="Its host name or IP address.", examples=["files.example"]
    )
    port: int = Field(22, ge=1, le=65_535, description="Its port.", examples=[22, 2222])
    user: str = Field(min_length=1, description="Who mroute logs in as.", examples=["mroute"])
    password: Secret | None = Field(
        None,
        description="The password of the user, from the environment or a file. Needed where there "
        "is no `key`.",
        examples=[{"env": "FILES_PASSWORD"}],
    )
    key: FilePath | None = Field(
        None,
        description="The private key of the user: a file as ssh-keygen makes it. Needed where "
        "there is no `password`.",
        examples=["ssh/mroute"],
    )
    key_password: Secret | None = Field(
        None,
        description="The password of `key`, from the environment or a file.",
        examples=[{"file": "secrets/mroute-key"}],
    )
    known_hosts: FilePath | None = Field(
        None,
        description="The file with the key of the server, as ssh has it; the user's own, "
        "`~/.ssh/known_hosts`, if not given.",
        examples=["ssh/known_hosts"],
    )
    host_key: str | None = Field(
        None,
        description="The key of the server itself, in place of `known_hosts`: what stands in a "
        "line of that file behind the name.",
        examples=["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ1vXgJvXbCt8w8nVgH0xnyHkT4BUxWZ"],
    )
    path: str = Field(
        min_length=1,
        description="The folder of the server; a relative one begins where the login leads to. It "
        "is made where it is missing.",
        examples=["/data/incoming", "incoming"],
    )
    layout: Layout = Field(
        "{task_id}",
        description="Folders below it that images go to, with tags by keyword, and `task_id`, in "
        "braces.",
    )
    exclude: Exclude = ()
    connect_timeout: Duration = Field(
        timedelta(seconds=10),
        description="Time for a connection and the login to come about.",
        examples=["10s"],
    )
    timeout: Duration = Field(
        timedelta(seconds=60),
        description="Time for each answer of the server; a file has many.",
        examples=["60s"],
    )

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        require("asyncssh", "sftp")
        if self.password is None and self.key is None:
            raise ValueError("say how to log in: 'key', a file, or 'password', a secret")
        if self.key is None and self.key_password is not None:
            raise ValueError("'key_password' is for a 'key', and there is none")
        if self.host_key is not None:
            if self.known_hosts is not None:
                raise ValueError("say who the server is: either 'known_hosts' or 'host_key'")
            if not _PUBLIC_KEY.fullmatch(self.host_key):
                raise ValueError(
                    "'host_key' is no public key; expected a text such as 'ssh-ed25519 AAAA...'"
                )
        return self

    @property
    def address(self) -> str:
        """Host and port, as they are shown to people."""
        return f"{self.host}:{self.port}"

    def hosts_file(self) -> Path:
        """The file with the key of the server, where `host_key` does not say it."""
        return self.known_hosts or Path.home() / ".ssh" / "known_hosts"
