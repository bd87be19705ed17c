"""How obstore is told where a bucket is, who asks, and how long it may try.

Knows the settings of obstore. Does not send anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mroute.api import TargetDownError
from mroute_storage.s3.target import S3Target

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig, S3Config, S3Credential, S3Store

_RETRIES = 2
# A request, the pause before it and what was tried before that fit into the timeout together.
_REQUEST, _RETRYING, _PAUSE = 0.7, 0.2, 0.1


def open_store(target: S3Target) -> S3Store:
    """The bucket, as obstore has it; raises `TargetDownError` where a file or secret is missing."""
    from obstore.exceptions import BaseError
    from obstore.store import S3Store

    try:
        keys = _keys(target)
        client = client_of(target)
        return S3Store(
            target.bucket,
            config=config_of(target),
            client_options=client,
            retry_config=_retries(target),
            credential_provider=(lambda: keys) if keys else None,
        )
    except OSError as error:
        raise TargetDownError(f"'{target.authorities}' cannot be read: {error.strerror}") from error
    except (BaseError, ValueError) as error:
        raise TargetDownError(
            f"{target.place} cannot be asked for anything: see 'endpoint' and 'authorities'"
        ) from error


def config_of(target: S3Target) -> S3Config:
    """Where the bucket is, and how it is spoken to."""
    config: S3Config = {
        "region": target.region,
        "virtual_hosted_style_request": target.virtual_hosted,
        "checksum_algorithm": "SHA256",
        "disable_bulk_delete": True,  # not every store has that
    }
    if target.endpoint is not None:
        url = str(target.endpoint).rstrip("/")
        if target.virtual_hosted:
            url = url.replace("://", f"://{target.bucket}.", 1)
        config["endpoint"] = url
    return config


def client_of(target: S3Target) -> ClientConfig:
    """How connections are made; raises `OSError` where the authorities cannot be read."""
    client: ClientConfig = {
        "allow_http": target.endpoint is not None and target.endpoint.scheme == "http",
        "timeout": target.timeout * _REQUEST,
        "connect_timeout": min(target.connect_timeout, target.timeout * _REQUEST),
    }
    if target.authorities is not None:
        client["root_certificate"] = target.authorities.read_bytes()
    return client


def _retries(target: S3Target) -> RetryConfig:
    return {
        "max_retries": _RETRIES,
        "retry_timeout": target.timeout * _RETRYING,
        "backoff": {"max_backoff": target.timeout * _PAUSE},
    }


def _keys(target: S3Target) -> S3Credential | None:
    """The keys that are given, all of them: none of the environment is mixed with them."""
    if target.access_key is None or target.secret_key is None:
        return None
    return {
        "access_key_id": target.access_key.read(),
        "secret_access_key": target.secret_key.read(),
        "token": target.session_token.read() if target.session_token else None,
        "expires_at": None,
    }
