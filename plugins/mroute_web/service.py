"""A connection to a service over HTTP: asks, and returns what was answered.

Knows what keeps an answer from coming, and that one may be of any size. Does not know what an
answer means (statuses), or what is asked. The HTTP library is loaded with the first connection.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPMethod
from ssl import SSLError, SSLSocket, cert_time_to_seconds
from typing import TYPE_CHECKING

from mroute.api import DeliveryError, TargetDownError, causes, client_context, raise_exhaustion
from mroute_web.target import WebTarget

if TYPE_CHECKING:
    import httpx2

_LARGEST = 16 * 1024 * 1024
"""Bytes of an answer; what a service says of an image are some hundred."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered; ``retry_after`` is what it said of when to ask again, or empty."""

    status: int
    body: bytes
    retry_after: str = ""
    certificate_ends: datetime | None = None

    @property
    def is_success(self) -> bool:
        """Whether it did what it was asked, or a part of that."""
        return 200 <= self.status < 300


class Service:
    """Asks one service; its text is the place of that service."""

    def __init__(self, client: httpx2.Client, target: WebTarget, stop: threading.Event) -> None:
        self._client = client
        self._target = target
        self._stop = stop

    def __str__(self) -> str:
        return self._target.place

    def ask(
        self,
        method: HTTPMethod,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Iterable[bytes] | None = None,
    ) -> Answer:
        """Ask, and wait for the answer; ``body`` is read while it is sent.

        Raises `TargetDownError` where the service cannot be reached, and `DeliveryError` where the
        connection breaks, nothing comes in time, or mroute was asked to stop. A redirection is an
        answer like any other.
        """
        import httpx2

        content = None if body is None else self._until_stopped(body)
        try:
            with self._client.stream(
                method, self._target.root + path, params=query, headers=headers, content=content
            ) as response:
                ends = _certificate_ends(response)  # of a connection that may be closed after this
                retry_after = response.headers.get("Retry-After", "")
                return Answer(response.status_code, self._read(response), retry_after, ends)
        except httpx2.HTTPError as error:
            raise_exhaustion(error)
            if isinstance(error, (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError)):
                raise TargetDownError(f"{self} cannot be reached: {error}") from error
            # Our certificate is judged after the connection has come about, since TLS 1.3.
            if any(isinstance(each, SSLError) for each in causes(error)):
                raise TargetDownError(f"{self}: no secure connection: {error}") from error
            raise DeliveryError(f"{self} {_what_happened(error)}") from error

    def _until_stopped(self, body: Iterable[bytes]) -> Iterator[bytes]:
        for piece in body:
            if self._stop.is_set():
                raise DeliveryError("mroute was asked to stop")
            yield piece

    def _read(self, response: httpx2.Response) -> bytes:
        content = bytearray()
        end = time.monotonic() + self._target.timeout.total_seconds()
        for part in response.iter_bytes():
            content += part
            if len(content) > _LARGEST:
                raise DeliveryError(
                    f"{self} answered with more than {_LARGEST >> 20} MB, which is no answer"
                )
            if time.monotonic() > end:
                raise DeliveryError(f"{self} did not end its answer in time")
        return bytes(content)


@contextmanager
def connected(
    target: WebTarget, headers: Mapping[str, str], stop: threading.Event
) -> Iterator[Service]:
    """A connection that is kept between requests; ``headers`` are those of each request.

    When ``stop`` is set, nothing more is sent. Raises `TargetDownError` where the certificates
    cannot be used.
    """
    import httpx2

    # It logs every URL, and labels of patients may be in one.
    for name in ("httpx2", "httpcore2"):
        logging.getLogger(name).setLevel(logging.WARNING)
    timeout = httpx2.Timeout(
        target.timeout.total_seconds(), connect=target.connect_timeout.total_seconds()
    )
    ours = {"User-Agent": "mroute", "Accept-Encoding": "identity", **headers}
    with httpx2.Client(
        verify=client_context(target.tls), timeout=timeout, headers=ours, follow_redirects=False
    ) as client:
        yield Service(client, target, stop)


def _what_happened(error: httpx2.HTTPError) -> str:
    """In our own words: those of the library may quote what the service sent."""
    import httpx2

    if isinstance(error, httpx2.ReadTimeout):
        return "did not answer in time"
    if isinstance(error, httpx2.WriteTimeout):
        return "did not take what was sent in time"
    if isinstance(error, httpx2.RemoteProtocolError):
        return "broke the connection, or what it answered is not HTTP"
    if isinstance(error, httpx2.DecodingError):
        return "answered what cannot be decoded"
    return "broke the connection"


def _certificate_ends(response: httpx2.Response) -> datetime | None:
    """When the certificate that the service showed expires, in UTC; None without TLS."""
    stream = response.extensions.get("network_stream")
    connection = stream.get_extra_info("socket") if stream is not None else None
    if not isinstance(connection, SSLSocket):
        return None
    ends = (connection.getpeercert() or {}).get("notAfter")
    return (
        datetime.fromtimestamp(cert_time_to_seconds(ends), UTC) if isinstance(ends, str) else None
    )
