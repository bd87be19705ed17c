"""What is particular about the tags that mercure's rules see.

Knows which tags mercure's receiver writes for every image, and which of them have several values.
Does not know expressions.
"""

from __future__ import annotations

from typing import Final

_OF_THE_TRANSFER = ("SenderAddress", "SenderAET", "ReceiverAET", "MediaStorageSOPClassUID")

_OF_THE_IMAGE = (
    "AccessionNumber", "AcquisitionDate", "AcquisitionNumber", "AcquisitionTime",
    "AcquisitionType", "BodyPartExamined", "CodeMeaning", "CodeValue", "ContrastBolusAgent",
    "DeviceSerialNumber", "DeviceUID", "ImageComments", "ImageType", "InstanceNumber",
    "InstitutionName", "MagneticFieldStrength", "Manufacturer", "ManufacturerModelName",
    "Modality", "PatientBirthDate", "PatientID", "PatientName", "PatientSex", "ProtocolName",
    "ReferringPhysicianName", "RetrieveAETitle", "SOPInstanceUID", "ScanningSequence",
    "SequenceName", "SequenceVariant", "SeriesDate", "SeriesDescription", "SeriesInstanceUID",
    "SeriesNumber", "SeriesTime", "SliceThickness", "SoftwareVersions", "SpecificCharacterSet",
    "StationAETitle", "StationName", "StudyDescription", "StudyID", "StudyInstanceUID",
)  # fmt: skip

WRITTEN: Final = frozenset({*_OF_THE_TRANSFER, *_OF_THE_IMAGE})
"""Tags that mercure writes for every image, empty where the image does not have them."""

SEVERAL: Final = frozenset(
    {"ImageType", "ScanningSequence", "SequenceVariant", "SoftwareVersions", "SpecificCharacterSet"}
)
"""Those of them of which an image can have several values; mercure writes the first."""

FORCE_RULE: Final = "mercureForceRule"
"""The tag by which a sender chooses the only rule that mercure applies."""
