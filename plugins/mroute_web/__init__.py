"""Target types over HTTP: ``dicomweb`` and ``xnat``.

Knows which target types there are. Does not know how one of them takes images.
"""

from __future__ import annotations

from mroute.api import TargetType, hookimpl
from mroute_web.check import check_dicomweb, check_xnat
from mroute_web.dicomweb import DicomwebTarget, send_to_dicomweb
from mroute_web.xnat import send_to_xnat
from mroute_web.xnat_target import XnatTarget


@hookimpl
def mroute_target_types() -> list[TargetType]:
    """The target types of this plugin."""
    return [
        TargetType("dicomweb", DicomwebTarget, send_to_dicomweb, check_dicomweb),
        TargetType("xnat", XnatTarget, send_to_xnat, check_xnat),
    ]
