"""Routes: the use cases of the router, series, error files and studies, a page each.

Knows the order of decide, plan, commit, release, and that whatever cannot be routed is kept with
the reason. Does not know how any of these is done.
"""

from mroute.router.errors import route_error_files
from mroute.router.routing import Routing
from mroute.router.series import resume_abandoned, route_series
from mroute.router.studies import route_studies

__all__ = [
    "Routing",
    "resume_abandoned",
    "route_error_files",
    "route_series",
    "route_studies",
]
