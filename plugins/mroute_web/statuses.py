"""What the status of an answer means for what was sent, and for what waits (RFC 9110).

Knows which statuses are about the service, and which about an image. Does not quote a service: its
words may be about a patient.
"""

from __future__ import annotations

import re
from http import HTTPStatus

from mroute.api import DeliveryError, TargetDownError
from mroute_web.service import Answer

_LOGIN = "it does not take these credentials, or they may not do this"
_URL = "is 'url' that of the service?"
_WAIT = "it cannot take anything now"

_DOWN = {
    401: _LOGIN,
    402: _LOGIN,
    403: _LOGIN,
    404: _URL,
    405: _URL,
    407: "the proxy on the way wants credentials",
    410: _URL,
    421: _URL,
    429: _WAIT,
    501: _URL,
    502: "what stands before the service does not reach it",
    503: _WAIT,
    511: "the network wants a login",
}
"""Statuses with which nothing at all can be sent to a service, and what to look at."""

_PATIENCE = 3


def name(status: int) -> str:
    """What a status is called in the standard."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "a status that the standard does not have"


def words(status: int) -> str:
    """A status with its name."""
    return f"{status} {name(status)}"


def judge(answer: Answer, place: str) -> None:
    """Return where the answer is about what was sent, be it a success or not.

    Raises `TargetDownError` where nothing else would be taken either, and `DeliveryError` where the
    service has trouble that may pass. A 500 is about what was sent: an image may bring it about.
    """
    status = answer.status
    if status in _DOWN:
        raise TargetDownError(f"{place} answered {words(status)}: {_DOWN[status]}{_when(answer)}")
    if 300 <= status < 400:
        raise TargetDownError(
            f"{place} answered {words(status)}: it is elsewhere, and nothing is sent where a "
            "service points to; correct 'url'"
        )
    if status in (408, 425) or status > 500:
        raise DeliveryError(f"{place} answered {words(status)}{_when(answer)}")


def _when(answer: Answer) -> str:
    """When to ask again, where it said so, in seconds or as a date."""
    said = answer.retry_after.strip()
    if re.fullmatch(r"\d{1,9}", said):
        return f"; it asks to be left alone for {said} s"
    if re.fullmatch(r"[A-Za-z0-9 ,:]{10,40}", said):
        return f"; it asks to be left alone until {said}"
    return ""


class Patience:
    """Tells a service that has trouble from one that has trouble with an image.

    A few images in a row, each alone, of which every one brings the service to its knees, are not
    to blame: then the others are left for later.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self._failed = 0

    def note(self, status: int) -> None:
        """Count what one image got; raises `DeliveryError` when it is enough."""
        self._failed = self._failed + 1 if status >= 500 else 0
        if self._failed == _PATIENCE:
            raise DeliveryError(
                f"{self._place} answered {words(status)} for {_PATIENCE} images in a row"
            )
