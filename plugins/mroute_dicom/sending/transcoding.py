"""Images in another transfer syntax, for a target that does not take their own.

Knows that pydicom decompresses, where the libraries for that are installed. Does not know targets.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path


class CannotTranscodeError(Exception):
    """An image cannot be had in another transfer syntax; the text says why."""


def transcoded(path: Path, syntax: str) -> bytes:
    """The data set of a file in an uncompressed little endian transfer syntax.

    Raises `CannotTranscodeError` where the image cannot be decompressed here.
    """
    from pydicom import dcmread
    from pydicom.filebase import DicomBytesIO
    from pydicom.filewriter import write_dataset
    from pydicom.uid import UID

    wanted = UID(syntax)
    try:
        dataset = dcmread(path, force=True)
        if "PixelData" in dataset and UID(str(dataset.file_meta.TransferSyntaxUID)).is_compressed:
            dataset.decompress(generate_instance_uid=False)
        written = BytesIO()
        buffer = DicomBytesIO()
        buffer.is_little_endian, buffer.is_implicit_VR = True, wanted.is_implicit_VR
        write_dataset(buffer, dataset)
        written.write(buffer.getvalue())
        return written.getvalue()
    # Decoders raise whatever comes up, also where one is not installed.
    except Exception as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CannotTranscodeError(
            f"it takes the image uncompressed only, and that cannot be done here: {said}"
        ) from error
