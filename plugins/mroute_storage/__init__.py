"""Target types that keep files: ``folder``.

Knows which target types there are. Does not know how one of them takes images.
"""

from __future__ import annotations

from mroute.api import TargetType, hookimpl
from mroute_storage.folder import FolderTarget, check_folder, send_to_folder


@hookimpl
def mroute_target_types() -> list[TargetType]:
    """The target types of this plugin."""
    return [TargetType("folder", FolderTarget, send_to_folder, check_folder)]
