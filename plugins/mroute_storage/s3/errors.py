"""What an error of the object store means: for the target, for this attempt, or for one image.

Knows the answers of S3, and how obstore tells of them: with keys of objects, which may be about
patients, so that nothing of its text is passed on but codes. Does not know who asked.
"""

from __future__ import annotations

import os
import re

from mroute.api import DeliveryError, TargetDownError, is_exhaustion

NOT_IMPLEMENTED = 501

_ANSWER = re.compile(r"non-2xx status code: (\d{3})")
_CODE = re.compile(r"<Code>(\w{1,100})</Code>")
_SYSTEM = re.compile(r"\bcode: (\d+),\s+kind: ")
_CERTIFICATE = re.compile(r"InvalidCertificate\(\s*(\w+)")
_ROLE = re.compile(r"performing \w+ https?://[^/\s]+/latest/(?:api/token|meta-data)|WebIdentity")

_BROKEN = frozenset(
    {
        "BadDigest",
        "ConditionalRequestConflict",
        "IncompleteBody",
        "InvalidPart",
        "NoSuchUpload",
        "OperationAborted",
        "RequestTimeout",
        "XAmzContentChecksumMismatch",
        "XAmzContentSHA256Mismatch",
    }
)
"""Codes of what went wrong on the way."""
_OF_TARGET = frozenset({401, 403, 404, 429})
"""Statuses that are not about one image, unlike others that say that the request was wrong."""


class NotTakenError(Exception):
    """One image cannot be stored; others may be."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(f"{status} {reason}".strip())
        self.status, self.reason = status, reason


def status_of(error: Exception) -> int:
    """The status of the answer that an error of obstore is about; 0 where there was none."""
    found = _ANSWER.search(str(error))
    return int(found[1]) if found else 0


def meaning_of(error: Exception, place: str, *, asking: bool) -> Exception:
    """The error to be raised for one of obstore.

    ``asking`` is whether the request was a question. Every image begins with one: where that is not
    answered, or not taken, the target is down. A break later is one in the middle, and a request
    that is not taken then is about the image.
    """
    text = str(error)
    status, code = status_of(error), _CODE.search(text)
    if not status:
        return _unanswered(text, place, asking=asking)
    said = f"{status} {code[1]}" if code else str(status)
    if code and code[1] in _BROKEN:
        return DeliveryError(f"{place}: {said}")
    if 400 <= status < 500 and status not in _OF_TARGET and not asking:
        return NotTakenError(str(status), code[1] if code else "")
    return TargetDownError(f"{place}: {said}{_advice(status, code[1] if code else '')}")


def _advice(status: int, code: str) -> str:
    if code == "NoSuchBucket" or status == 404:
        return "; there is no such bucket: make it, or see 'bucket'"
    if status in (401, 403):
        return "; see 'access_key' and 'secret_key', and what they may do"
    if status == 400:
        return "; see 'region' and the keys"
    return ""


def _unanswered(text: str, place: str, *, asking: bool) -> Exception:
    system = _SYSTEM.search(text)
    code = int(system[1]) if system else 0
    own = OSError(code, os.strerror(code))
    if is_exhaustion(own):
        return own
    if _ROLE.search(text):
        return TargetDownError(
            f"{place}: there are no keys in the environment, and this machine has no role; see "
            "'access_key'"
        )
    if certificate := _CERTIFICATE.search(text):
        return TargetDownError(
            f"{place}: its certificate is not trusted ({certificate[1]}); see 'authorities'"
        )
    if "Received redirect" in text:
        return TargetDownError(f"{place}: it is elsewhere; see 'region' and 'endpoint'")
    if "kind: Connect" in text:
        reason = own.strerror if code else "no connection"
        if "lookup address" in text:
            reason = "its name is not known"
        return TargetDownError(f"{place} cannot be reached: {reason}")
    reason = "no answer in time" if "kind: Timeout" in text else "the connection broke"
    return (TargetDownError if asking else DeliveryError)(f"{place}: {reason}")
