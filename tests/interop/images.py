"""DICOM files to send: real ones, and their data sets as bytes.

Knows which files of pydicom hold an instance. Does not know who sends or receives them.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pydicom

from mroute_dicom.sending.instances import Instance, NotSendableError, read_instance

CT = "1.2.840.10008.5.1.4.1.1.2"
MR = "1.2.840.10008.5.1.4.1.1.4"


@cache
def real_instances() -> tuple[Instance, ...]:
    """The instances among the files of pydicom, one for each SOPInstanceUID."""
    found: dict[str, Instance] = {}
    for path in sorted((Path(pydicom.__file__).parent / "data").rglob("*")):
        if path.is_file() and path.suffix not in (".py", ".json", ".txt", ".zip", ".xml"):
            try:
                instance = read_instance(path)
            except NotSendableError:
                continue
            found.setdefault(instance.sop_instance, instance)
    return tuple(found.values())


def data_set(path: Path) -> bytes:
    """The bytes of the data set of a file; a deflated one has been padded where it was sent."""
    with read_instance(path).data_set() as content:
        return bytes(content) + b"\0" * (len(content) % 2)


def data_sets(instances: Iterable[Instance]) -> dict[str, bytes]:
    """The data set of each instance by its SOPInstanceUID."""
    return {each.sop_instance: data_set(each.path) for each in instances}
