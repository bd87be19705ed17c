"""Passwords and the like, which a rule file names and does not hold.

Knows where a secret is read from. Does not keep it: it is read when it is needed.
"""

from __future__ import annotations

import os
from typing import Self

from pydantic import Field, model_validator

from mroute.errors import SecretError
from mroute.models import FilePath, Model


class Secret(Model):
    """A secret, by the place where it is: a variable of the environment, or a file."""

    env: str | None = Field(
        None,
        min_length=1,
        description="The variable of the environment that holds it.",
        examples=["PACS_PASSWORD"],
    )
    file: FilePath | None = Field(
        None,
        description="The file that holds it, relative to this file; a line break at its end does "
        "not count.",
        examples=["secrets/pacs"],
    )

    @model_validator(mode="before")
    @classmethod
    def _not_written_down(cls, value: object) -> object:
        if isinstance(value, str):
            raise ValueError(  # the text itself must not be in the message
                "a secret is not written into a rule file: say where it is, "
                "{env: PACS_PASSWORD} or {file: secrets/pacs}"
            )
        return value

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.env is None) == (self.file is None):
            raise ValueError("say where the secret is: either 'env' or 'file'")
        return self

    def read(self) -> str:
        """The secret itself; raises `SecretError` where it is not there, or empty."""
        if self.env is not None:
            value, where = os.environ.get(self.env, ""), f"the variable '{self.env}'"
        else:
            assert self.file is not None
            where = f"the file '{self.file}'"
            try:
                value = self.file.read_text("utf-8").removesuffix("\n").removesuffix("\r")
            except OSError as error:
                raise SecretError(
                    f"{where} of a secret cannot be read: {error.strerror}"
                ) from error
            except UnicodeDecodeError as error:
                raise SecretError(f"{where} of a secret is no text in UTF-8") from error
        if not value:
            raise SecretError(f"{where}, which should hold a secret, is not set or empty")
        return value
