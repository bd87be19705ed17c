"""Which file systems a spool is safe on, read from texts such as the kernel writes.

Knows lines of mountinfo. Does not know any file system that is really mounted.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from mroute.spool.mounts import Mount, mount_of, parse_mounts, unsafe_places

LOCAL = "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard\n"


def line(point: str, kind: str, options: str = "rw") -> str:
    return f"40 27 0:50 / {point} rw,relatime shared:7 master:1 - {kind} server:/x {options}\n"


def test_a_mount_is_read_with_its_options_and_its_name() -> None:
    (mount,) = parse_mounts(line("/mnt/two\\040words\\134x", "nfs4", "rw,hard,local_lock=none"))
    assert mount.point == Path("/mnt/two words\\x")
    assert mount.type == "nfs4"
    assert mount.options == {"rw", "relatime", "hard", "local_lock=none"}


def test_a_line_that_is_none_of_a_mount_is_left_out() -> None:
    assert parse_mounts("\n - \n1 2 3 - ext4 x rw\n" + LOCAL) == parse_mounts(LOCAL)


def test_the_deepest_mount_counts_and_of_one_place_the_last() -> None:
    text = LOCAL + line("/data", "xfs") + line("/data/in", "nfs") + line("/data/in", "ext4")
    mounts = parse_mounts(text)
    found = [mount_of(Path(path), mounts) for path in ("/d", "/data2", "/data/x", "/data/in/y")]
    assert [mount and mount.type for mount in found] == ["ext4", "ext4", "xfs", "ext4"]
    assert mount_of(Path("/x"), ()) is None


@pytest.mark.parametrize(
    ("kind", "options", "because"),
    [
        ("ext4", "rw", ""),
        ("xfs", "rw", ""),
        ("tmpfs", "rw", ""),
        ("overlay", "rw", ""),
        ("ceph", "rw", ""),
        ("fuseblk", "rw", ""),
        ("nfs4", "rw,hard,local_lock=none", ""),
        ("nfs", "rw,vers=3,local_lock=none", ""),
        ("nfs", "rw,vers=3,local_lock=posix", ""),  # flock goes to the server
        ("nfs", "rw,vers=3,nolock,local_lock=all", "mounted with 'local_lock=all'"),
        ("nfs", "rw,vers=3,nolock", "mounted with 'nolock'"),
        ("nfs", "rw,vers=3,local_lock=flock", "mounted with 'local_lock=flock'"),
        ("lustre", "rw,flock", ""),
        ("lustre", "rw,localflock", "mounted with 'localflock'"),
        ("cifs", "rw", "renames"),
        ("smb3", "rw", "renames"),
        ("9p", "rw", "no locks"),
        ("virtiofs", "rw", "no locks"),
        ("fuse.sshfs", "rw", "nothing is known"),
        ("fuse.s3fs", "rw", "nothing is known"),
    ],
)
def test_what_is_refused_is_refused_for_a_reason(
    tmp_path: Path, kind: str, options: str, because: str
) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(LOCAL + line(str(tmp_path / "spool"), kind, options))
    folders = [tmp_path, tmp_path / "spool" / "outgoing"]
    (mount,) = parse_mounts(line("/x", kind, options))
    assert because in mount.unsafe if because else mount.unsafe == ""
    said = list(unsafe_places(folders, mounts))
    if not because:
        assert said == []
        return
    (refused,) = said
    assert f"'{folders[1]}' is on a file system of type '{kind}'" in refused
    assert mount.unsafe in refused
    assert "put the spool on a local disk, or on NFS" in refused


def test_a_link_to_another_file_system_is_followed(tmp_path: Path) -> None:
    (tmp_path / "share").mkdir()
    (tmp_path / "outgoing").symlink_to(tmp_path / "share")
    mounts = tmp_path / "mountinfo"
    mounts.write_text(LOCAL + line(str(tmp_path / "share"), "cifs"))
    (said,) = unsafe_places([tmp_path / "outgoing"], mounts)
    assert "of type 'cifs'" in said


def test_where_nothing_is_told_of_mounts_nothing_is_refused(tmp_path: Path) -> None:
    assert list(unsafe_places([tmp_path], tmp_path / "gone")) == []
    assert Mount(Path("/"), "ext4").unsafe == ""
