"""The model of a target of the type ``s3``.

Knows what a person may say about a bucket. Does not know how anything is put into it.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Literal, Self

from pydantic import AnyHttpUrl, Field, StrictBool, model_validator

from mroute.api import Duration, FilePath, Secret, TargetBase
from mroute_storage.extras import require
from mroute_storage.layout import Layout
from mroute_storage.placement import Exclude


class S3Target(TargetBase):
    """A bucket of Amazon S3, or of another object store that speaks its protocol."""

    type: Literal["s3"]
    bucket: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$",
        description="The name of the bucket, which must be there.",
        examples=["images"],
    )
    endpoint: AnyHttpUrl | None = Field(
        None,
        description="Where the object store is, without the bucket; Amazon's for the region if not "
        "given. The connection is not secured where this begins with `http:`.",
        examples=["https://objects.hospital.example:9000"],
    )
    region: str = Field(
        "us-east-1",
        min_length=1,
        description="The region of the bucket; most other stores take any.",
        examples=["eu-central-1"],
    )
    access_key: Secret | None = Field(
        None,
        description="The access key. Without keys, those of the environment "
        "(`AWS_ACCESS_KEY_ID` ...) are used, or the role of the instance.",
        examples=[{"env": "MROUTE_S3_ACCESS_KEY"}],
    )
    secret_key: Secret | None = Field(
        None,
        description="The secret key that belongs to the access key.",
        examples=[{"file": "secrets/s3"}],
    )
    session_token: Secret | None = Field(
        None,
        description="The session token of temporary keys.",
        examples=[{"file": "secrets/s3-session"}],
    )
    virtual_hosted: StrictBool = Field(
        False,
        description="Whether the bucket is a part of the host name (`images.s3.example`), not of "
        "the path (`s3.example/images`).",
        examples=[True],
    )
    authorities: FilePath | None = Field(
        None,
        description="Certificates of authorities that are trusted beside those of the system: a "
        "PEM file.",
        examples=["tls/hospital.pem"],
    )
    layout: Layout = Field(
        "{StudyInstanceUID}/{SeriesInstanceUID}",
        description="Folders in the bucket that images go to: what stands before the name of the "
        "file in the key of each object, with tags by keyword, and `task_id`, in braces.",
    )
    exclude: Exclude = ()
    connect_timeout: Duration = Field(
        timedelta(seconds=10), description="Time for a connection to come about.", examples=["10s"]
    )
    timeout: Duration = Field(
        timedelta(seconds=60),
        description="Time for a request, one for each part of a large image, with what is tried "
        "again in between.",
        examples=["60s"],
    )
    part_size: int = Field(
        16,
        ge=5,
        le=1024,
        description="Megabytes of a part: a larger image is uploaded in parts of this size.",
        examples=[16],
    )

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        require("obstore", "s3")
        if (self.access_key is None) != (self.secret_key is None):
            raise ValueError("'access_key' and 'secret_key' belong together: give both, or neither")
        if self.session_token is not None and self.access_key is None:
            raise ValueError("'session_token' belongs to 'access_key' and 'secret_key'; give both")
        endpoint = self.endpoint
        if endpoint and (endpoint.username or endpoint.password or endpoint.query):
            raise ValueError(
                "expected an endpoint without a user, a password or a query; see 'access_key'"
            )
        return self

    @property
    def place(self) -> str:
        """The bucket and where it is, for messages."""
        where = "Amazon S3"
        if self.endpoint is not None:
            where = f"{self.endpoint.scheme}://{self.endpoint.host}:{self.endpoint.port}"
        return f"bucket '{self.bucket}' at {where}"
