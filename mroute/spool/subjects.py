"""Makes the values that are planned for from what was claimed: a `Series` or a `Study`.

Knows which names from outside must be safe before anything is planned with them. Does not know
what will be decided.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mroute.errors import TagsError
from mroute.models import ConditionBase, RuleBase
from mroute.names import safe_name
from mroute.spool.arrivals.survey import Contents, survey
from mroute.spool.claim import Claim
from mroute.spool.files import Files
from mroute.spool.layout import TAGS_SUFFIX, TASK_FILE, tags_file
from mroute.spool.tags import ReadImage, read_tags
from mroute.types import Series, Study, Tags

_NEVER = datetime.min.replace(tzinfo=UTC)


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


def collected_study(
    folder: Path, claim_id: str, content: Mapping[str, Any], rule: RuleBase, quiet: timedelta
) -> Study:
    """The study collected in ``folder`` under ``rule``; ``content`` is its task file.

    Raises `KeyError` or `ValueError` where its study section is not one.
    """
    section = content["study"]
    images = _images_in(folder)
    return Study(
        uid=content["info"]["uid"],
        rule_name=content["collection"]["rule_name"],
        tags=_tags_of(folder, images),
        images=images,
        claim_id=claim_id,
        section=section,
        condition=rule.study,
        descriptions=tuple(section["received_series"]),
        created_at=datetime.fromisoformat(section["creation_time"]),
        last_received_at=datetime.fromisoformat(section["last_receive_time"]),
        quiet_time=quiet,
    )


def unusable_study(folder: Path, claim_id: str, uid: str, rule_name: str) -> Study:
    """A study of which only the name of its folder and its images are known."""
    images = _images_in(folder)
    return Study(
        uid=uid,
        rule_name=rule_name,
        tags=_tags_of(folder, images),
        images=images,
        claim_id=claim_id,
        section={},
        condition=ConditionBase(complete="unknown"),
        descriptions=(),
        created_at=_NEVER,
        last_received_at=_NEVER,
        quiet_time=timedelta(),
    )


def _images_in(folder: Path) -> tuple[str, ...]:
    return tuple(
        sorted(
            path.name
            for path in folder.iterdir()
            if not path.name.startswith((".", TASK_FILE)) and path.suffix != TAGS_SUFFIX
        )
    )


def _tags_of(folder: Path, images: tuple[str, ...]) -> Tags:
    for name in images:
        try:
            return read_tags(tags_file(folder / name))[0]
        except TagsError:
            continue
    return {}
