"""What keeps images from a target over HTTP, found out without sending one.

Knows the order of the questions: secrets, certificates, connection, login, service. Does not know
what waits for the target.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from http import HTTPMethod
from pathlib import Path

from mroute.api import DeliveryError, expiry_complaints, tls_complaints
from mroute_web.dicomweb import STUDIES, DicomwebTarget
from mroute_web.instances import read_instance
from mroute_web.service import Answer, connected
from mroute_web.statuses import judge, words
from mroute_web.target import WebTarget
from mroute_web.xnat_session import session
from mroute_web.xnat_target import XnatTarget

_NOBODY = "2.25.0"
"""A UID that no study has: a search for it shows nothing of a patient."""


def check_dicomweb(name: str, target: DicomwebTarget, files: Sequence[Path]) -> list[str]:
    """A sentence for each thing that is wrong; ``files`` are images that the target is to take.

    The service is searched (QIDO-RS) for a study that is not there: that shows whether it is a
    DICOMweb service that takes our credentials, and leaves nothing behind.
    """
    return [*_certificates(target), *_dicomweb(target), *_unreadable(files)]


def check_xnat(name: str, target: XnatTarget, files: Sequence[Path]) -> list[str]:
    """A sentence for each thing that is wrong; ``files`` are images that the target is to take.

    A session is begun and ended, and the project is asked for.
    """
    return [*_certificates(target), *_xnat(target), *_unreadable(files)]


def _dicomweb(target: DicomwebTarget) -> Iterator[str]:
    query = {"StudyInstanceUID": _NOBODY, "limit": "1"}
    try:
        with connected(target, target.headers(), threading.Event()) as service:
            answer = service.ask(HTTPMethod.GET, STUDIES, query=query)
        if answer.certificate_ends is not None:
            what = f"the certificate of {target.place}"
            yield from expiry_complaints(what, answer.certificate_ends, datetime.now(UTC))
        judge(answer, target.place)
    except DeliveryError as error:
        yield str(error)
        return
    if not _is_search_result(answer):
        yield (
            f"{target.place} answered a search {words(answer.status)}, but not as QIDO-RS does: is "
            "'url' the root of a DICOMweb service?"
        )


def _is_search_result(answer: Answer) -> bool:
    if answer.status == 204:  # it found nothing
        return True
    try:
        return answer.status == 200 and isinstance(json.loads(answer.body), list)
    except (ValueError, RecursionError):
        return False


def _xnat(target: XnatTarget) -> Iterator[str]:
    try:
        with session(target, threading.Event()) as xnat:
            ends = xnat.certificate_ends
    except DeliveryError as error:
        yield str(error)
        return
    if ends is not None:
        yield from expiry_complaints(f"the certificate of {target.place}", ends, datetime.now(UTC))


def _certificates(target: WebTarget) -> Iterator[str]:
    if target.tls is not None:
        yield from tls_complaints(target.tls, datetime.now(UTC))


def _unreadable(files: Sequence[Path]) -> Iterator[str]:
    for path in files:
        try:
            read_instance(path)
        except ValueError as error:
            yield f"'{path.name}' cannot be sent: {error}"
        except OSError as error:
            yield f"'{path.name}' cannot be read: {error.strerror}"
