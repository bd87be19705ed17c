"""The scanners of a hospital network, what they are set up to do, and the series they send.

A scanner repeats the names and numbers of its protocols; UIDs, times, patients and free texts are
new in each series. Knows no rule.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from tests.benchmarks.matching import words

SCANNERS = 150
PROTOCOLS = (15, 40)
"""The least and the most protocols of a scanner."""

MISSING = 0.04
EMPTY = 0.02
UNREADABLE = 0.02
"""How often a tag that may be missing is, is empty, or is a number that cannot be read."""

NUMBERS = (
    "SliceThickness", "SpacingBetweenSlices", "RepetitionTime", "EchoTime", "InversionTime",
    "FlipAngle", "EchoTrainLength", "Rows", "Columns", "KVP", "XRayTubeCurrent", "PatientWeight",
    "MagneticFieldStrength", "NumberOfAverages", "ReconstructionDiameter", "SeriesNumber",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scanner:
    """A scanner: the tags that are the same in all that it sends, and those of its protocols.

    ``never`` are tags that it does not send.
    """

    tags: dict[str, str]
    protocols: tuple[dict[str, str], ...]
    never: frozenset[str]


def scanners(draw: random.Random) -> tuple[Scanner, ...]:
    """The scanners of all sites."""
    return tuple(_scanner(draw, number) for number in range(SCANNERS))


def series(draw: random.Random, fleet: tuple[Scanner, ...]) -> dict[str, str]:
    """The tags of one series that some scanner of the ``fleet`` sends."""
    scanner = draw.choice(fleet)
    protocol = draw.choice(scanner.protocols)
    tags = {**scanner.tags, **protocol, **_patient(draw), **_instance(draw)}
    tags["StudyDescription"] = _study_description(draw, protocol)
    for name in scanner.never:
        tags.pop(name, None)
    # In a fixed order, for the order of a set is another in each process.
    for name in [each for each in tags if each in _OPTIONAL]:
        chance = draw.random()
        if chance < MISSING:
            del tags[name]
        elif chance < MISSING + EMPTY:
            tags[name] = ""
        elif chance < MISSING + EMPTY + UNREADABLE and name in NUMBERS:
            tags[name] = draw.choice(("n/a", "1.5 mm", "-", "NaN"))
    return tags


_OPTIONAL = frozenset(
    (*NUMBERS, "BodyPartExamined", "ProtocolName", "StudyDescription", "ContrastBolusAgent",
     "DeviceSerialNumber", "InstitutionalDepartmentName", "PatientSex", "PatientAge",
     "ReferringPhysicianName", "SoftwareVersions", "SequenceName", "ImageType", "OperatorsName",
     "ConvolutionKernel", "PatientPosition", "ScanOptions", "AccessionNumber")
)  # fmt: skip


def _scanner(draw: random.Random, number: int) -> Scanner:
    model = draw.choices(words.MODELS, [_COMMON.get(m.modality, 1) for m in words.MODELS])[0]
    site = number % len(words.SITES)
    tags = {
        "SpecificCharacterSet": "ISO_IR 100",
        "Modality": model.modality,
        "Manufacturer": model.manufacturer,
        "ManufacturerModelName": model.name,
        "SoftwareVersions": draw.choice(model.versions.split("|")),
        "InstitutionName": words.SITES[site],
        "InstitutionAddress": f"{10 + site} Main Street",
        "InstitutionalDepartmentName": draw.choice(("Radiology", "RAD", "Neuroradiology")),
        "StationName": f"{model.modality}{site + 1:02d}-{number:03d}",
        "DeviceSerialNumber": str(draw.randrange(20_000, 190_000)),
        "SenderAET": draw.choice(words.AETS),
        "ReceiverAET": "MROUTE",
        "PatientIdentityRemoved": "NO",
    }
    if model.field:
        tags["MagneticFieldStrength"] = model.field
    count = draw.randint(*PROTOCOLS)
    protocols = tuple(_protocol(draw, model, site) for _ in range(count))
    return Scanner(tags, protocols, frozenset(draw.sample(_SOMETIMES, draw.randint(0, 9))))


_SOMETIMES = (
    "InstitutionAddress", "InstitutionalDepartmentName", "OperatorsName", "PatientIdentityRemoved",
    "WindowCenter", "WindowWidth", "RescaleIntercept", "RescaleSlope", "PlateType", "FilterType",
    "LossyImageCompression", "ScanOptions", "StudyID", "SpacingBetweenSlices", "NumberOfAverages",
    "ContrastBolusAgent", "PatientWeight", "FrameOfReferenceUID",
)  # fmt: skip
"""What some scanners never send."""

_COMMON = {"MR": 3, "CT": 3, "US": 2, "DX": 2}


def _protocol(draw: random.Random, model: words.Model, site: int) -> dict[str, str]:
    modality = model.modality
    part = draw.choice(words.PARTS[modality].split("|"))
    kind = draw.choice(words.KINDS[modality].split("|"))
    suffix = draw.choice(("", "", "", f"_S{site + 1}", " repeat", " fast"))
    size = draw.choice(("128", "256", "320", "512", "512", "1024", "2048"))
    tags = {
        "SOPClassUID": f"1.2.840.10008.5.1.4.1.1.{draw.choice((2, 4, 128))}",
        "BodyPartExamined": part,
        "ProtocolName": f"{part.title()} {kind}{suffix}",
        "SeriesDescription": f"{kind}{suffix}" if draw.random() < 0.7 else f"{kind} {part.lower()}",
        "ImageType": draw.choice(
            ("ORIGINAL\\PRIMARY\\M\\ND", "ORIGINAL\\PRIMARY\\AXIAL", "DERIVED\\SECONDARY\\MPR")
        ),
        "PatientPosition": draw.choice(words.POSITIONS),
        "SliceThickness": draw.choice(("0.6", "0.75", "1", "1.5", "2.0", "3", "4", "5.0", "8")),
        "SpacingBetweenSlices": draw.choice(("1", "1.2", "3.3", "5.5")),
        "Rows": size,
        "Columns": size,
        "PixelSpacing": draw.choice(("0.5\\0.5", "0.976562\\0.976562", "0.35\\0.35")),
        "ImageOrientationPatient": draw.choice(("1\\0\\0\\0\\1\\0", "0\\1\\0\\0\\0\\-1")),
        "SamplesPerPixel": "1",
        "PhotometricInterpretation": draw.choice(("MONOCHROME2", "MONOCHROME2", "RGB")),
        "BitsAllocated": "16",
        "BitsStored": draw.choice(("12", "16")),
        "HighBit": "11",
        "PixelRepresentation": draw.choice(("0", "1")),
        "LossyImageCompression": "00",
        "WindowCenter": str(draw.randrange(0, 900, 10)),
        "WindowWidth": str(draw.randrange(100, 2000, 50)),
        "RescaleIntercept": draw.choice(("0", "-1024")),
        "RescaleSlope": "1",
        "ScanOptions": draw.choice(("PFP", "FS", "HELICAL MODE", "SAT_GEMS")),
    }
    if draw.random() < 0.4:
        tags["ContrastBolusAgent"] = draw.choice(words.AGENTS)
    if modality == "MR":
        tags |= {
            "ScanningSequence": draw.choice(("SE", "GR", "EP", "GR\\IR")),
            "SequenceVariant": draw.choice(("SK", "SP\\MP", "SK\\SP")),
            "SequenceName": draw.choice(("*tfl3d1_16ns", "*tse2d1_15", "*ep_b1000t", "*fl3d1r")),
            "MRAcquisitionType": draw.choice(("2D", "3D")),
            "RepetitionTime": str(draw.choice((4.9, 500, 650, 2300, 3500, 5000, 9000))),
            "EchoTime": str(draw.choice((1.5, 2.98, 12, 30, 80, 98, 104))),
            "InversionTime": str(draw.choice((900, 2500))),
            "FlipAngle": str(draw.choice((8, 9, 15, 90, 150, 180))),
            "EchoTrainLength": str(draw.choice((1, 3, 11, 16))),
            "NumberOfAverages": str(draw.choice((1, 2, 4))),
        }
    elif modality in ("CT", "PT"):
        tags |= {
            "KVP": draw.choice(("80", "100", "120", "140")),
            "XRayTubeCurrent": str(draw.choice((60, 120, 250, 400))),
            "ConvolutionKernel": draw.choice(("Br40f", "Bl57", "Br64", "STANDARD", "LUNG", "FC08")),
            "ReconstructionDiameter": draw.choice(("220", "350", "500")),
            "ExposureTime": "500",
            "FilterType": draw.choice(("0", "WEDGE_3", "BODY FILTER")),
            "GantryDetectorTilt": "0",
            "TableHeight": draw.choice(("140", "155.5")),
        }
    else:
        tags |= {
            "ViewPosition": draw.choice(("PA", "LL", "AP")),
            "Exposure": str(draw.choice((2, 4, 8))),
            "KVP": draw.choice(("55", "70", "125")),
            "DetectorType": "DIRECT",
            "PlateType": draw.choice(("A", "B")),
            "ImageLaterality": draw.choice(("R", "L", "U")),
        }
    return tags


def _patient(draw: random.Random) -> dict[str, str]:
    year, month, day = draw.randint(1930, 2022), draw.randint(1, 12), draw.randint(1, 28)
    # Projects have patients of their own, and name them so.
    project = draw.choice(words.PROJECTS) + "-" if draw.random() < 0.3 else ""
    return {
        "PatientID": f"{project}{draw.randrange(10**7):07d}",
        "PatientName": f"Name{draw.randrange(10**5)}^Given{draw.randrange(10**3)}",
        "PatientBirthDate": f"{year}{month:02d}{day:02d}",
        "PatientAge": f"{2026 - year:03d}Y",
        "PatientSex": draw.choice(words.SEXES),
        "PatientWeight": str(draw.randint(12, 130)),
        "ReferringPhysicianName": draw.choice(words.REFERRERS),
        "OperatorsName": f"op{draw.randrange(60)}",
        "AccessionNumber": f"A{draw.randrange(10**8):08d}",
    }


def _instance(draw: random.Random) -> dict[str, str]:
    date = f"2026{draw.randint(1, 11):02d}{draw.randint(1, 28):02d}"
    time = f"{draw.randint(6, 20):02d}{draw.randrange(60):02d}00.{draw.randrange(10**6):06d}"
    root = f"1.3.12.2.1107.5.2.{draw.randrange(10**6)}"
    return {
        "StudyInstanceUID": f"{root}.1.{draw.randrange(10**18)}",
        "SeriesInstanceUID": f"{root}.2.{draw.randrange(10**18)}",
        "SOPInstanceUID": f"{root}.3.{draw.randrange(10**18)}",
        "FrameOfReferenceUID": f"{root}.4.{draw.randrange(10**18)}",
        "StudyDate": date,
        "SeriesDate": date,
        "StudyTime": time,
        "SeriesTime": time,
        "StudyID": str(draw.randrange(10**5)),
        "SeriesNumber": str(draw.randint(1, 30)),
        "InstanceNumber": "1",
    }


def _study_description(draw: random.Random, protocol: dict[str, str]) -> str:
    """A project has a description of its own; else it is what was ordered, or typed by hand."""
    part = protocol["BodyPartExamined"]
    if draw.random() < 0.3:
        return f"{draw.choice(words.PROJECTS)} {part}"
    typed = f" {draw.randrange(10**5)}" if draw.random() < 0.1 else ""
    return f"{part} {draw.choice(words.FREE_TEXT)}{typed}"
