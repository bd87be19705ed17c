"""Target types that keep files: ``folder`` and ``sftp``.

Knows which target types there are. Does not know how one of them takes images.
"""

from __future__ import annotations

from mroute.api import TargetType, hookimpl
from mroute_storage.folder import FolderTarget, check_folder, send_to_folder
from mroute_storage.sftp import SftpTarget, check_sftp, send_to_sftp


@hookimpl
def mroute_target_types() -> list[TargetType]:
    """The target types of this plugin."""
    return [
        TargetType("folder", FolderTarget, send_to_folder, check_folder),
        TargetType("sftp", SftpTarget, send_to_sftp, check_sftp),
    ]
