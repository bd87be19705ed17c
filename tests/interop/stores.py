"""A real object store on loopback: moto's server, with or without the rights of IAM.

Knows how it is begun, and what is in a bucket, by another library than mroute's. Does not know what
should be there.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from tests.interop.peers import HOST, free_port, running

PROGRAM = "from moto.server import main; main()"
BUCKET = "images"
_EVERYTHING = (
    '{"Version": "2012-10-17", "Statement": '
    '[{"Effect": "Allow", "Action": ["s3:*", "iam:*"], "Resource": "*"}]}'
)


@dataclass(frozen=True)
class ObjectStore:
    """An object store with one bucket, which keeps every version of an object."""

    port: int
    access_key: str
    secret_key: str
    scheme: str = "http"

    @property
    def endpoint(self) -> str:
        return f"{self.scheme}://{HOST}:{self.port}"

    def client(self, service: str = "s3") -> Any:
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name="us-east-1",
        )

    def objects(self) -> dict[str, bytes]:
        """The content of each object by its key."""
        client = self.client()
        listed = client.list_objects_v2(Bucket=BUCKET).get("Contents", ())
        keys = [each["Key"] for each in listed]
        return {key: client.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys}

    def versions(self) -> list[str]:
        """The key of each version of each object: one that was put twice is there twice."""
        listed = self.client().list_object_versions(Bucket=BUCKET).get("Versions", ())
        return sorted(each["Key"] for each in listed)

    def put(self, key: str, content: bytes, **more: Any) -> None:
        self.client().put_object(Bucket=BUCKET, Key=key, Body=content, **more)

    def uploads(self) -> list[str]:
        """The keys of uploads in parts that were begun and not ended."""
        listed = self.client().list_multipart_uploads(Bucket=BUCKET).get("Uploads", ())
        return [each["Key"] for each in listed]

    def revoke(self) -> None:
        """Make the keys worthless."""
        self.client("iam").delete_access_key(UserName="mroute", AccessKeyId=self.access_key)


@contextmanager
def object_store(folder: Path, *options: str, scheme: str = "http") -> Iterator[ObjectStore]:
    """An object store for which any keys will do."""
    with _server(folder, *options) as port:
        store = ObjectStore(port, "any", "keys", scheme)
        if scheme == "http":
            _make_bucket(store)
        yield store


@contextmanager
def guarded_store(folder: Path) -> Iterator[ObjectStore]:
    """An object store that looks at keys, signatures and rights."""
    # The first calls may be made by anybody: they make the bucket, the user and its keys.
    with _server(folder, before=["env", "INITIAL_NO_AUTH_ACTION_COUNT=5"]) as port:
        first = ObjectStore(port, "any", "keys")
        _make_bucket(first)
        iam = first.client("iam")
        iam.create_user(UserName="mroute")
        iam.put_user_policy(UserName="mroute", PolicyName="all", PolicyDocument=_EVERYTHING)
        made = iam.create_access_key(UserName="mroute")["AccessKey"]
        yield ObjectStore(port, made["AccessKeyId"], made["SecretAccessKey"])


def _make_bucket(store: ObjectStore) -> None:
    client = store.client()
    client.create_bucket(Bucket=BUCKET)
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})


@contextmanager
def _server(folder: Path, *options: str, before: list[str] | None = None) -> Iterator[int]:
    folder.mkdir(exist_ok=True)
    port = free_port()
    command = [*(before or ()), sys.executable, "-c", PROGRAM, "-H", HOST, "-p", str(port)]
    with running([*command, *options], port, folder / "log"):
        yield port
