"""Files as one ``multipart/related`` body (RFC 2387), read while it is sent.

Knows how long it is, and where a part begins. Does not know what is in a file.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence

from mroute_web.instances import Instance

DICOM = "application/dicom"
"""The media type of a DICOM file.

Without the parameter ``transfer-syntax``: the file says it itself, and Orthanc takes no notice of a
part whose media type has a parameter, and answers with success.
"""


class Related:
    """A body with a part for each instance.

    Its boundary is drawn by lot and long enough not to be found in a file.
    """

    def __init__(self, instances: Sequence[Instance]) -> None:
        self._instances = instances
        self._boundary = uuid.uuid4().hex
        self._head = f"--{self._boundary}\r\nContent-Type: {DICOM}\r\n\r\n".encode("ascii")
        self._end = f"--{self._boundary}--\r\n".encode("ascii")

    @property
    def headers(self) -> Mapping[str, str]:
        """What a request must say of the body."""
        each = len(self._head) + len(b"\r\n")
        length = sum(each + instance.size for instance in self._instances) + len(self._end)
        return {
            "Content-Type": f'multipart/related; type="{DICOM}"; boundary={self._boundary}',
            "Content-Length": str(length),
        }

    def __iter__(self) -> Iterator[bytes]:
        for instance in self._instances:
            yield self._head
            yield from instance.pieces()
            yield b"\r\n"
        yield self._end
