"""Tells a shortage of this machine from a fault of whoever it talks to.

Knows errors of the operating system. Does not know what was being done.
"""

from __future__ import annotations

import errno
import ssl
from collections.abc import Iterator

_SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})


def raise_shortage(error: BaseException) -> None:
    """Raise the `OSError` below ``error`` that says that this machine is short of something."""
    for each in below(error):
        if isinstance(each, ssl.SSLError):  # which has numbers of its own
            continue
        if isinstance(each, OSError) and each.errno in _SHORTAGES:
            raise each


def below(error: BaseException) -> Iterator[BaseException]:
    """An error, and those that brought it about."""
    each: BaseException | None = error
    while each is not None:
        yield each
        each = each.__cause__ or each.__context__
