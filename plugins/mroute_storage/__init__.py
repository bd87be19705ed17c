"""Target types that keep files: ``folder``, ``sftp``, ``s3`` and ``rsync``.

Knows which target types there are. Does not know how one of them takes images.
"""

from __future__ import annotations

from mroute.api import TargetType, hookimpl
from mroute_storage.folder.check import check_folder
from mroute_storage.folder.send import send_to_folder
from mroute_storage.folder.target import FolderTarget
from mroute_storage.rsync.check import check_rsync
from mroute_storage.rsync.send import send_to_rsync
from mroute_storage.rsync.target import RsyncTarget
from mroute_storage.s3.check import check_s3
from mroute_storage.s3.send import send_to_s3
from mroute_storage.s3.target import S3Target
from mroute_storage.sftp import SftpTarget, check_sftp, send_to_sftp


@hookimpl
def mroute_target_types() -> list[TargetType]:
    """The target types of this plugin."""
    return [
        TargetType("folder", FolderTarget, send_to_folder, check_folder),
        TargetType("sftp", SftpTarget, send_to_sftp, check_sftp),
        TargetType("s3", S3Target, send_to_s3, check_s3),
        TargetType("rsync", RsyncTarget, send_to_rsync, check_rsync),
    ]
