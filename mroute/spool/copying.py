"""Copies the content of a file, shared on disk where the file system can, verified where it cannot.

Knows which way of copying there is between two open files, and how a copy is compared with what it
is of. Does not know names: those are given to a copy by `mroute.spool.files`.
"""

from __future__ import annotations

import errno
import hashlib
import os

_CHUNK = 2**20
"""Bytes that are read at once."""

_CANNOT = frozenset({errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.EPERM})
"""What a kernel says that cannot copy between these two files by itself."""


def copy_content(source: int, destination: int) -> None:
    """Copy all of the file ``source`` into the empty file ``destination``; both are descriptors.

    Within a file system the kernel copies, and shares the blocks where the file system has that
    (Btrfs, XFS). To another one the bytes go through this process: `verify` says whether they
    arrived.
    """
    if os.fstat(source).st_dev == os.fstat(destination).st_dev and _by_kernel(source, destination):
        return
    os.lseek(source, 0, os.SEEK_SET)
    while chunk := os.read(source, _CHUNK):
        write_all(destination, chunk)


def verify(source: int, destination: int) -> None:
    """Raise `OSError` (``EIO``) unless both files have the same size and SHA-256.

    ``destination`` has to be flushed: its pages are dropped first, so that what is compared comes
    from the disk wherever the kernel lets go of them.
    """
    os.posix_fadvise(destination, 0, 0, os.POSIX_FADV_DONTNEED)
    sizes = os.fstat(source).st_size, os.fstat(destination).st_size
    if sizes[0] != sizes[1] or _digest(source) != _digest(destination):
        raise OSError(
            errno.EIO,
            f"a copy differs from what it is of ({sizes[1]:,} and {sizes[0]:,} bytes); it is "
            "copied again",
        )


def write_all(descriptor: int, content: bytes) -> None:
    """Write all of ``content``: the kernel may take less than it is given at a time."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _by_kernel(source: int, destination: int) -> bool:
    """Whether the kernel copied it; where not, nothing was written."""
    size, copied = os.fstat(source).st_size, 0
    while copied < size:
        try:
            taken = os.copy_file_range(source, destination, size - copied)
        except OSError as error:
            if copied or error.errno not in _CANNOT:
                raise
            return False
        if not taken:  # the file was cut short meanwhile, or the kernel cannot copy this kind
            return copied > 0
        copied += taken
    return True


def _digest(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    digest = hashlib.sha256()
    while chunk := os.read(descriptor, _CHUNK):
        digest.update(chunk)
    return digest.digest()
