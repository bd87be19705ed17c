"""A session at an XNAT: login, project, import, logout.

Knows which questions XNAT is asked, and what its answers mean. Does not know HTTP (service), nor
which images are to be sent.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from http import HTTPMethod

from mroute.api import DeliveryError, TargetDownError
from mroute_web.instances import Instance
from mroute_web.service import Service, connected
from mroute_web.statuses import judge, name, words
from mroute_web.target import basic
from mroute_web.xnat_target import Destination, XnatTarget

_LOGIN = "/data/JSESSION"


class Session:
    """A session at an XNAT, for one project of it.

    ``certificate_ends`` is when the certificate of the XNAT expires; None without TLS.
    """

    def __init__(
        self, service: Service, target: XnatTarget, cookie: str, certificate_ends: datetime | None
    ) -> None:
        self.certificate_ends = certificate_ends
        self._service = service
        self._target = target
        self._headers = {"Cookie": f"JSESSIONID={cookie}"}

    def end(self) -> None:
        """Log out; where that fails, the session expires."""
        with suppress(DeliveryError):
            self._service.ask(HTTPMethod.DELETE, _LOGIN, headers=self._headers)

    def find_project(self) -> None:
        """Raises `TargetDownError` where the project is not there, or not for this user.

        XNAT keeps what is for a project that it does not know, among the images of no project.
        """
        path = f"/data/projects/{self._target.project}"
        answer = self._service.ask(
            HTTPMethod.GET, path, query={"format": "json"}, headers=self._headers
        )
        if answer.status in (403, 404):
            raise TargetDownError(
                f"{self._service} answered {words(answer.status)}: there is no project "
                f"'{self._target.project}', or not for this user"
            )
        judge(answer, str(self._service))
        if not answer.is_success:
            raise TargetDownError(
                f"{self._service} answered {words(answer.status)} when it was asked for the "
                f"project '{self._target.project}'"
            )

    def put(self, instance: Instance, subject: str, label: str) -> tuple[int, str]:
        """Send an image; returns the status, and why the image was refused, or empty."""
        answer = self._service.ask(
            HTTPMethod.POST,
            "/data/services/import",
            query=self._query(subject, label),
            headers={
                **self._headers,
                "Content-Type": "application/dicom",
                "Content-Length": str(instance.size),
            },
            body=instance.pieces(),
        )
        judge(answer, str(self._service))
        if not answer.is_success:
            return answer.status, name(answer.status)
        kept = answer.body.decode("utf-8", "replace").split()
        if not kept:
            return answer.status, "a filter or script of the XNAT threw it away"
        place = re.search(r"/(?:projects|direct-archive)/([^/]+)/", kept[0])
        if place is None:
            raise TargetDownError(
                f"{self._service} answered {words(answer.status)}, but not as an importer does: is "
                "'url' the root of an XNAT?"
            )
        if place[1] != self._target.project:
            raise TargetDownError(
                f"{self._service} put an image elsewhere than into the project "
                f"'{self._target.project}': may this user create in it?"
            )
        return answer.status, ""

    def _query(self, subject: str, label: str) -> dict[str, str]:
        """What the importer is told.

        Project, subject and session are said twice: the importer of single files reads the names in
        capitals, and is documented with the others.
        """
        target = self._target
        query = {
            "import-handler": "gradual-DICOM",
            "inbody": "true",
            "dest": f"/{target.destination}/projects/{target.project}",
            "project": target.project,
            "PROJECT_ID": target.project,
            "subject": subject,
            "SUBJECT_ID": subject,
            "session": label,
            "EXPT_LABEL": label,
            "overwrite": "append",
            "rename": "true",  # to a name that follows from the image: what comes again is one file
        }
        if target.destination is Destination.ARCHIVE:
            query["AA"] = "true"
        return query


@contextmanager
def session(target: XnatTarget, stop: threading.Event) -> Iterator[Session]:
    """A session at an XNAT that has the project, which is ended in the end.

    When ``stop`` is set, nothing more is sent. Raises `TargetDownError` where there is none, and
    `DeliveryError`.
    """
    login = {"Authorization": basic(target.user, target.password.read())}
    with connected(target, {}, stop) as service:
        answer = service.ask(HTTPMethod.POST, _LOGIN, headers=login)
        judge(answer, target.place)
        cookie = answer.body.decode("ascii", "replace").strip()
        if not answer.is_success or not re.fullmatch(r"[A-Za-z0-9._!-]{8,128}", cookie):
            raise TargetDownError(
                f"{target.place} answered {words(answer.status)}, but with no session: is 'url' "
                "the root of an XNAT?"
            )
        begun = Session(service, target, cookie, answer.certificate_ends)
        try:
            begun.find_project()
            yield begun
        finally:
            begun.end()
