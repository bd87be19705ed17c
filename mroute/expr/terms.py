"""The terms that DICOM has for the values of attributes which rules ask for.

Knows the defined terms and enumerated values of PS3.3 (2024), each beside its section, retired
terms included, and words that people write instead. Does not know attributes whose terms depend on
the kind of image (ScanOptions, ViewPosition, RescaleType), nor those with terms that sites and
vendors extend as they like (BodyPartExamined).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of one attribute, in the order in which they are shown.

    Where ``closed`` the standard enumerates every value there can be; else a sender may extend it.
    """

    closed: bool
    terms: Mapping[str, None]

    def __contains__(self, value: str) -> bool:
        return value in self.terms


def _defined(*written: str) -> Terms:
    """Defined terms; a comma separates those with blanks in them."""
    return Terms(False, _ordered(written))


def _enumerated(*written: str) -> Terms:
    return Terms(True, _ordered(written))


def _ordered(written: tuple[str, ...]) -> Mapping[str, None]:
    return dict.fromkeys(t for line in written for t in line.split("," if "," in line else None))


_YES_NO: Final = _enumerated("YES NO")
_SIDES: Final = _enumerated("R L U B")
_SHAPES: Final = _defined("RECTANGULAR CIRCULAR POLYGONAL BITMAP")

TERMS: Final[Mapping[str, Terms]] = {
    # C.7.1.1 Patient
    "PatientSex": _enumerated("F M O"),
    "TypeOfPatientID": _defined("TEXT RFID BARCODE"),
    "QualityControlSubject": _YES_NO,
    "PatientIdentityRemoved": _YES_NO,
    # C.7.1.4 Patient Group, C.7.2.2 and C.2.3 Patient Study and Demographic
    "PatientSexNeutered": _enumerated("ALTERED UNALTERED"),
    "SmokingStatus": _enumerated("YES NO UNKNOWN"),
    "PregnancyStatus": _enumerated("1 2 3 4"),
    # C.7.3.1 General Series; Modality: C.7.3.1.1.1, its third line is retired
    "Modality": _defined(
        "ANN AR ASMT AU BDUS BI BMD CFM CR CT CTPROTOCOL DG DMS DOC DX ECG EEG EMG EOG EPS ES FID",
        "GM HC HD IO IOL IVOCT IVUS KER KO LEN LS M3D MG MR NM OAM OCT OP OPM OPT OPTBSV OPTENF",
        "AS CD CF CP CS DD DF DM DS EC FA FS LP MA MS OPR ST VF",
        "OPV OSS OT PA PLAN POS PR PT PX REG RESP RF RG RTDOSE RTIMAGE RTINTENT RTPLAN RTRAD",
        "RTRECORD RTSEGANN RTSTRUCT RWV SEG SM SMR SR SRF STAIN TEXTUREMAP TG US VA XA XAPROTOCOL",
        "XC",
    ),
    "Laterality": _enumerated("R L"),
    "PatientPosition": _defined(
        "HFS HFP HFDR HFDL FFS FFP FFDR FFDL", "LFP LFS RFP RFS", "AFDR AFDL PFDR PFDL"
    ),
    "AnatomicalOrientationType": _enumerated("BIPED QUADRUPED"),
    # C.7.4.2 Synchronization
    "SynchronizationTrigger": _enumerated("SOURCE,EXTERNAL,PASSTHRU,NO TRIGGER"),
    "AcquisitionTimeSynchronized": _enumerated("Y N"),
    # C.7.6.1 General Image, C.7.6.16.2.8 Frame Anatomy
    "ImageLaterality": _SIDES,
    "FrameLaterality": _SIDES,
    "QualityControlImage": _enumerated("YES NO BOTH"),
    "BurnedInAnnotation": _YES_NO,
    "RecognizableVisualFeatures": _YES_NO,
    "LossyImageCompression": _enumerated("00 01"),
    "LossyImageCompressionMethod": _defined(
        "ISO_10918_1 ISO_14495_1 ISO_15444_1 ISO_15444_15 ISO_18181_1",
        "ISO_13818_2 ISO_14496_10 ISO_23008_2",
    ),
    # C.7.6.3 Image Pixel, C.7.6.4 Contrast/Bolus, C.7.6.11 Display Shutter
    "PhotometricInterpretation": _defined(
        "MONOCHROME1,MONOCHROME2,PALETTE COLOR,RGB,YBR_FULL,YBR_FULL_422,YBR_PARTIAL_422",
        "YBR_PARTIAL_420 YBR_ICT YBR_RCT XYB HSV ARGB CMYK",
    ),
    "PixelRepresentation": _enumerated("0 1"),
    "PlanarConfiguration": _enumerated("0 1"),
    "ContrastBolusIngredient": _defined("IODINE,GADOLINIUM,CARBON DIOXIDE,BARIUM,XENON"),
    "ShutterShape": _SHAPES,
    "CollimatorShape": _SHAPES,
    # C.7.6.18.1 Cardiac Synchronization
    "CardiacSynchronizationTechnique": _defined("NONE REALTIME PROSPECTIVE RETROSPECTIVE PACED"),
    # C.8.2.1 CT Image, C.8.15.3.2 CT Acquisition Type
    "RotationDirection": _enumerated("CW CC"),
    "AcquisitionType": _defined("SEQUENCED SPIRAL CONSTANT_ANGLE STATIONARY FREE"),
    # C.8.3.1 MR Image, C.8.13.2 to C.8.13.4 Enhanced MR
    "ScanningSequence": _enumerated("SE IR GR EP RM"),
    "SequenceVariant": _defined("SK MTC SS TRSS SP MP OSP NONE"),
    "MRAcquisitionType": _defined("1D 2D 3D"),
    "AngioFlag": _enumerated("Y N"),
    "AcquisitionContrast": _defined(
        "DIFFUSION FLOW_ENCODED FLUID_ATTENUATED PERFUSION PROTON_DENSITY STIR TAGGING",
        "T1 T2 T2_STAR TOF UNKNOWN MIXED",
    ),
    "ComplexImageComponent": _defined("MAGNITUDE PHASE REAL IMAGINARY MIXED"),
    "ContentQualification": _enumerated("PRODUCT RESEARCH SERVICE"),
    "EchoPulseSequence": _enumerated("SPIN GRADIENT BOTH"),
    "ResonantNucleus": _defined("1H 3HE 7LI 13C 19F 23NA 31P 129XE"),
    # C.8.5.6 US Image
    "UltrasoundColorDataPresent": _enumerated("0 1"),
    # C.8.6.1 SC Equipment
    "ConversionType": _defined("DV DI DF WSD SD SI DRW SYN"),
    # C.8.7.2 X-Ray Acquisition, C.8.11 Digital X-Ray
    "RadiationSetting": _enumerated("SC GR"),
    "PresentationIntentType": _enumerated("FOR PRESENTATION,FOR PROCESSING"),
    "DetectorType": _defined("DIRECT SCINTILLATOR STORAGE FILM"),
    "ExposureControlMode": _defined("MANUAL AUTOMATIC"),
    "BreastImplantPresent": _YES_NO,
    "PartialView": _YES_NO,
    # C.8.9.1 PET Series
    "Units": _defined(
        "CNTS NONE CM2 CM2ML PCNT CPS BQML MGMINML UMOLMINML MLMING MLG 1CM UMOLML PROPCNTS",
        "PROPCPS MLMINML MLML GML STDDEV",
    ),
    "SUVType": _defined("BSA BW LBM LBMJAMES128 LBMJANMA IBW"),
    "CountsSource": _enumerated("EMISSION TRANSMISSION"),
    "DecayCorrection": _defined("NONE START ADMIN"),
    "RandomsCorrectionMethod": _defined("DLYD SING NONE"),
    # C.8.8.3 RT Dose, C.8.8.9 RT General Plan, C.8.8.16 Approval
    "DoseUnits": _enumerated("GY RELATIVE"),
    "DoseType": _defined("PHYSICAL EFFECTIVE ERROR"),
    "DoseSummationType": _defined(
        "PLAN MULTI_PLAN PLAN_OVERVIEW FRACTION BEAM BRACHY FRACTION_SESSION BEAM_SESSION",
        "BRACHY_SESSION CONTROL_POINT RECORD",
    ),
    "PlanIntent": _defined(
        "CURATIVE PALLIATIVE PROPHYLACTIC VERIFICATION MACHINE_QA RESEARCH SERVICE"
    ),
    "RTPlanGeometry": _enumerated("PATIENT TREATMENT_DEVICE"),
    "ApprovalStatus": _enumerated("APPROVED UNAPPROVED REJECTED"),
    # C.8.16.2 Common CT/MR and Photoacoustic Image Description
    "PixelPresentation": _enumerated("MONOCHROME COLOR MIXED TRUE_COLOR"),
    "VolumetricProperties": _enumerated("VOLUME SAMPLED DISTORTED MIXED"),
    # C.8.17 Segmentation (C.8.20.2)
    "SegmentationType": _enumerated("BINARY FRACTIONAL LABELMAP"),
    "SegmentationFractionalType": _enumerated("PROBABILITY OCCUPANCY"),
    # C.11.2 VOI LUT
    "VOILUTFunction": _defined("LINEAR LINEAR_EXACT SIGMOID"),
    # C.12.1 SOP Common
    "LongitudinalTemporalInformationModified": _enumerated("UNMODIFIED MODIFIED REMOVED"),
    "SpecificCharacterSet": _defined(
        "ISO_IR 100,ISO_IR 101,ISO_IR 109,ISO_IR 110,ISO_IR 144,ISO_IR 127,ISO_IR 126,ISO_IR 138",
        "ISO_IR 148,ISO_IR 203,ISO_IR 13,ISO_IR 166,ISO_IR 192,GB18030,GBK,ISO_IR 6",
        "ISO 2022 IR 6,ISO 2022 IR 100,ISO 2022 IR 101,ISO 2022 IR 109,ISO 2022 IR 110",
        "ISO 2022 IR 144,ISO 2022 IR 127,ISO 2022 IR 126,ISO 2022 IR 138,ISO 2022 IR 148",
        "ISO 2022 IR 203,ISO 2022 IR 13,ISO 2022 IR 166,ISO 2022 IR 87,ISO 2022 IR 159",
        "ISO 2022 IR 149,ISO 2022 IR 58",
    ),
    # C.17.2 SR Document General
    "CompletionFlag": _enumerated("PARTIAL COMPLETE"),
    "VerificationFlag": _enumerated("UNVERIFIED VERIFIED"),
    "PreliminaryFlag": _enumerated("PRELIMINARY FINAL"),
    # C.4.11 Requested Procedure
    "RequestedProcedurePriority": _defined("STAT HIGH ROUTINE MEDIUM LOW"),
}
"""Keyword to terms, for attributes whose every value is one of them."""

POSITIONS: Final[Mapping[str, tuple[Terms, ...]]] = {
    # C.7.6.1.1.2; MIXED: C.8.16.1.1
    "ImageType": (_enumerated("ORIGINAL DERIVED MIXED"), _enumerated("PRIMARY SECONDARY")),
}
"""Keyword to the terms of its first values, for attributes whose values mean different things."""

_MODALITIES: Final = {
    "MR": "MRI MRT NMR MRA FMRI MRS",
    "CT": "CAT CTA CBCT CT-SCAN CTSCAN",
    "DX,CR": "XRAY X-RAY XR RX DR RADIOGRAPHY XRAYS",
    "US": "ULTRASOUND SONO SONOGRAPHY ECHO USS DOPPLER",
    "PT": "PET PETCT PET-CT PET/CT",
    "NM": "SPECT NUC NUCMED SCINTIGRAPHY",
    "MG": "MAMMO MAMMOGRAPHY MAMMOGRAM MMG DBT",
    "XA": "ANGIO DSA ANGIOGRAPHY",
    "RF": "FLUORO FLUOROSCOPY",
    "ES": "ENDO ENDOSCOPY",
    "SM": "WSI PATHOLOGY HISTOLOGY",
    "BMD": "DEXA DXA",
    "PX": "OPG PANO",
    "OT": "OTHER SC",
    "ECG": "EKG",
    "RTSTRUCT": "RTSS RTSTRUCTURESET RTST STRUCT",
    "RTPLAN": "RTPLN",
    "RTDOSE": "RTDS DOSE",
    "KO": "KOS",
    "PR": "GSPS PS",
    "SEG": "SEGMENTATION",
    "DOC": "PDF",
}

_YES_NO_WORDS: Final = {"Y": "YES", "TRUE": "YES", "1": "YES", "N": "NO", "FALSE": "NO", "0": "NO"}
_SIDE_WORDS: Final = {"LEFT": "L", "RIGHT": "R"}
_SIDES_WORDS: Final = {**_SIDE_WORDS, "BOTH": "B", "BILATERAL": "B", "UNPAIRED": "U"}

ALIASES: Final[Mapping[str, Mapping[str, str]]] = {
    "Modality": {word: meant for meant, words in _MODALITIES.items() for word in words.split()},
    "PatientSex": {
        "MALE": "M", "FEMALE": "F", "OTHER": "O", "W": "F", "WOMAN": "F", "MAN": "M", "D": "O"
    },
    "Laterality": _SIDE_WORDS,
    "ImageLaterality": _SIDES_WORDS,
    "FrameLaterality": _SIDES_WORDS,
    "BurnedInAnnotation": _YES_NO_WORDS,
    "RecognizableVisualFeatures": _YES_NO_WORDS,
    "QualityControlImage": _YES_NO_WORDS,
    "PatientIdentityRemoved": _YES_NO_WORDS,
    "BreastImplantPresent": _YES_NO_WORDS,
    "LossyImageCompression": {
        "YES": "01", "Y": "01", "1": "01", "TRUE": "01", "NO": "00", "N": "00", "0": "00"
    },
    "PhotometricInterpretation": {
        "MONOCHROME": "MONOCHROME2", "GRAYSCALE": "MONOCHROME2", "YBR": "YBR_FULL",
        "PALETTE": "PALETTE COLOR",
    },
    "PresentationIntentType": {"PRESENTATION": "FOR PRESENTATION", "PROCESSING": "FOR PROCESSING"},
    "ScanningSequence": {"GRE": "GR", "FFE": "GR", "EPI": "EP", "TSE": "SE", "FSE": "SE"},
    "RequestedProcedurePriority": {"URGENT": "STAT", "EMERGENCY": "STAT", "NORMAL": "ROUTINE"},
    "SpecificCharacterSet": {
        "UTF-8": "ISO_IR 192", "UTF8": "ISO_IR 192", "LATIN1": "ISO_IR 100", "LATIN-1": "ISO_IR 100"
    },
}  # fmt: skip
"""Keyword to what people write, in upper case, and the term they mean; a comma between several."""
