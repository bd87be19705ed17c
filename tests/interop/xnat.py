"""What an XNAT answers to mroute, by its documentation and by the source of its importer.

No real XNAT is asked by any test. Documented: the image session import service and the sessions of
users (wiki.xnat.org, XNAT API). From the source of `GradualDicomImporter`: the names of the
parameters in capitals, that an image which a filter throws away is answered with success and an
empty list, and that an image for a project which the user may not create in goes to no project.
Does not know mroute.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.interop.webserver import Reply, Request, uid_of

LABEL = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(slots=True)
class Xnat:
    """An XNAT with one project; ``held`` maps project, subject, session and UID to the file."""

    project: str = "LUNGS"
    user: str = "mroute"
    password: str = "nobody knows"
    may_create: bool = True
    held: dict[tuple[str, str, str, str], bytes] = field(default_factory=dict)
    sessions: set[str] = field(default_factory=set)
    begun: int = 0
    destinations: set[str] = field(default_factory=set)
    treats: Callable[[str], Reply | None] = lambda uid: None
    """What is answered for the image of a UID, where it is not stored."""

    def __call__(self, request: Request) -> Reply:
        if request.path == "/data/JSESSION" and request.method == "POST":
            return self._login(request)
        cookie = request.headers["Cookie"] or ""
        if cookie.removeprefix("JSESSIONID=") not in self.sessions:
            return Reply(401)
        if request.path == "/data/JSESSION" and request.method == "DELETE":
            self.sessions.discard(cookie.removeprefix("JSESSIONID="))
            return Reply()
        if request.method == "GET":
            return Reply(200 if request.path == f"/data/projects/{self.project}" else 404)
        if request.method == "POST" and request.path == "/data/services/import":
            return self._import(request)
        return Reply(404)

    def _login(self, request: Request) -> Reply:
        login = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        if request.headers["Authorization"] != f"Basic {login}":
            return Reply(401)
        self.begun += 1
        session = f"{self.begun:032X}"
        self.sessions.add(session)
        # The one in the header is of the servlet container, and may be another one.
        return Reply(200, session.encode(), {"Set-Cookie": "JSESSIONID=ANOTHER0; Path=/"})

    def _import(self, request: Request) -> Reply:
        query = request.query
        if query.get("import-handler") != "gradual-DICOM" or query.get("inbody") != "true":
            return Reply(400, b"Unable to identify upload format.")
        project = query["PROJECT_ID"]
        if project != self.project or not self.may_create:
            project = "Unassigned"
        subject, label = query["SUBJECT_ID"], query["EXPT_LABEL"]
        assert (query["project"], query["subject"]) == (query["PROJECT_ID"], subject)
        assert query["session"] == label
        assert LABEL.fullmatch(subject)
        assert LABEL.fullmatch(label)
        uid = uid_of(request.body)
        treated = self.treats(uid)
        if treated is not None:
            return treated
        self.held[project, subject, label, uid] = request.body
        self.destinations.add(query["dest"] + (" AA" if query.get("AA") == "true" else ""))
        uri = f"/data/prearchive/projects/{project}/20261125_120000000/{label}\r\n"
        return Reply(200, uri.encode(), {"Content-Type": "text/uri-list"})
