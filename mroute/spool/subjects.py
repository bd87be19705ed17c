"""Makes the value that is planned for from a series that was claimed.

Knows which names from outside must be safe before anything is planned with them. Does not know
what will be decided.
"""

from __future__ import annotations

from mroute.names import safe_name
from mroute.spool.arrivals.survey import Contents, survey
from mroute.spool.claim import Claim
from mroute.spool.files import Files
from mroute.spool.tags import ReadImage
from mroute.types import Series


def claimed_series(claim: Claim, read_image: ReadImage, files: Files) -> tuple[Series, Contents]:
    """The series in a claimed folder, and all that is in the folder.

    Its UID is that of its images; the name of the folder stands in where they have none.
    """
    contents = survey(claim.source, read_image, files)
    uid = contents.tags.get("SeriesInstanceUID") or claim.name
    trouble = contents.trouble
    if uid != claim.name:
        trouble += (f"the images came in a folder named {claim.name!a}",)
    series = Series(
        uid=uid,
        tags=contents.tags,
        images=contents.images,
        claim_id=claim.id,
        rejected=contents.rejected,
        trouble=trouble,
        force_rule=contents.force_rule,
    )
    return series, contents


def check_uids(series: Series) -> None:
    """Raise `UnsafeNameError` where a UID of the series cannot be a part of a path."""
    safe_name(series.uid, "SeriesInstanceUID")
    if series.study_uid:
        safe_name(series.study_uid, "StudyInstanceUID")
