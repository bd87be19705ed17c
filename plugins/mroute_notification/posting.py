"""How a message is posted to a webhook.

Knows which answers mean that it arrived, and that secrets are read when it is sent and told to
nobody. Does not know what it says, or when it is tried again. The HTTP library is loaded with the
first message.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from http import HTTPStatus

from pydantic import AnyHttpUrl, BaseModel, JsonValue, TypeAdapter, ValidationError

from mroute.api import Delivery, DeliveryError, Secret
from mroute_notification.settings import settings_in

_URL = TypeAdapter(AnyHttpUrl)
_HEADER_TEXT = re.compile(r"[ -~]*")

ID_HEADER = "X-Mroute-Delivery"
"""The header by which a receiver knows a message that comes again."""


def deliver(delivery: Delivery, settings: Mapping[str, BaseModel]) -> None:
    """Post the message; raises `DeliveryError` unless the answer is a success.

    A redirection is no success: the message is not shown to anybody but the URL that was given. An
    answer that says that the message will never be taken (400, 404, 410) is tried again like any
    other: whoever gave the webhook a new key, or made its channel anew, need not tell mroute.
    """
    option, headers = delivery.options["url"], delivery.options["headers"]
    assert isinstance(headers, dict)
    place = _place(option)
    try:
        url = str(_URL.validate_python(_read(option).strip()))
    except ValidationError:
        raise DeliveryError(f"{place} is no URL of http or https") from None
    own = {"Content-Type": "application/json", ID_HEADER: delivery.id}
    sent = {**own, **{name: _header(name, value) for name, value in headers.items()}}
    limit = settings_in(settings).timeout.total_seconds()
    status = asyncio.run(_post(place, url, sent, delivery.body.encode(), limit))
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        raise DeliveryError(f"{place} answered {_named(status)}")


async def _post(place: str, url: str, headers: dict[str, str], body: bytes, limit: float) -> int:
    """The status of the answer, of which nothing else is read.

    All of it takes ``limit`` seconds at most, however slowly the receiver says what it says.
    """
    import httpx2

    for logger in ("httpx2", "httpcore2"):  # they would log the URL, and even headers
        logging.getLogger(logger).setLevel(logging.WARNING)
    try:
        async with (
            asyncio.timeout(limit),
            httpx2.AsyncClient(timeout=None) as client,
            client.stream("POST", url, content=body, headers=headers) as response,
        ):
            return response.status_code
    except TimeoutError as error:
        raise DeliveryError(f"{place} did not answer within {limit:g} s") from error
    except httpx2.ConnectError as error:
        raise DeliveryError(f"{place} cannot be reached: {error}") from error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:  # which may quote what was sent
        raise DeliveryError(f"{place} cannot be reached: {type(error).__name__}") from None


def _read(option: JsonValue) -> str:
    """A value, read from where it is if it is a secret."""
    if isinstance(option, str):
        return option
    return Secret.model_validate(option).read()


def _header(name: str, option: JsonValue) -> str:
    text = _read(option)
    if not _HEADER_TEXT.fullmatch(text):
        raise DeliveryError(f"the secret for the header '{name}' has characters that none may have")
    return text


def _place(option: JsonValue) -> str:
    """What a message calls a receiver: the host, and nothing that could be a secret."""
    if isinstance(option, dict):
        kind, where = next(iter(option.items()))
        return f"the URL in '{where}' ({kind})"
    parsed = AnyHttpUrl(str(option))
    return f"'{parsed.scheme}://{parsed.host}:{parsed.port}'"


def _named(status: int) -> str:
    """A status with its name in the standard: what the receiver calls it could say anything."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
