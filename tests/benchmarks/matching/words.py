"""The words of the workload: what hospitals, scanners and protocols are called, and by whom."""

from __future__ import annotations

from typing import NamedTuple

SITES = (
    "Riverside General Hospital",
    "Riverside Outpatient Centre",
    "St Anna Klinik",
    "St Anna Kinderspital",
    "Northgate Medical Center",
    "Northgate Breast Center",
    "Universitaetsklinikum West",
    "Harbour Imaging",
    "Lakeview Cancer Institute",
    "Hopital de la Croix",
    "County Orthopaedics",
    "Radiology at the Park",
)


class Model(NamedTuple):
    """A product: how its vendor, itself and its software are named; MR scanners have a field."""

    modality: str
    manufacturer: str
    name: str
    versions: str
    """Separated by bars."""
    field: str = ""


MODELS = (
    Model("MR", "SIEMENS", "Skyra", "syngo MR E11|syngo MR XA30", "3"),
    Model("MR", "SIEMENS", "Prisma", "syngo MR E11|syngo MR XA30", "3"),
    Model("MR", "Siemens Healthineers", "MAGNETOM Vida", "syngo MR XA31|syngo MR XA50", "3"),
    Model("MR", "SIEMENS", "Aera", "syngo MR D13|syngo MR E11", "1.5"),
    Model("MR", "SIEMENS", "TrioTim", "syngo MR B17", "2.89362"),
    Model(
        "MR", "GE MEDICAL SYSTEMS", "DISCOVERY MR750", "27\\LX\\MR Software release:DV26.0", "3.0"
    ),
    Model("MR", "GE MEDICAL SYSTEMS", "SIGNA Artist", "29\\LX\\MR Software release:MR29.1", "1.5"),
    Model("MR", "Philips", "Ingenia", "5.3.1\\5.3.1.0|5.7.1\\5.7.1.1", "3"),
    Model("MR", "Philips Medical Systems", "Achieva", "3.2.3\\3.2.3.1", "1.5"),
    Model("CT", "SIEMENS", "SOMATOM Force", "syngo CT VA50A|syngo CT VB20A"),
    Model("CT", "SIEMENS", "SOMATOM Definition AS+", "syngo CT 2014A"),
    Model("CT", "Siemens Healthineers", "NAEOTOM Alpha", "syngo CT VA40A"),
    Model("CT", "GE MEDICAL SYSTEMS", "Revolution CT", "revo_ct_21b.34"),
    Model("CT", "GE MEDICAL SYSTEMS", "LightSpeed VCT", "gmp_vct.42|12HW14.6"),
    Model("CT", "Philips", "iCT 256", "4.1.6|4.1.10"),
    Model("CT", "TOSHIBA", "Aquilion ONE", "V7.0ER003|V8.4SP0001"),
    Model("US", "Philips Medical Systems", "EPIQ 7G", "EPIQ 7G_7.0.5|EPIQ 7G_9.0.4"),
    Model("US", "GE Healthcare", "LOGIQE9", "LOGIQE9:R6.1.2"),
    Model("US", "SAMSUNG MEDISON CO., LTD.", "RS85", "3.01.02"),
    Model("DX", "Philips Medical Systems", "DigitalDiagnost", "4.3.4|4.1.7"),
    Model("DX", "Carestream Health", "DRX-Evolution", "5.7.600.6013"),
    Model("CR", "FUJIFILM Corporation", "XG-1", "A11.0-03"),
    Model("MG", "HOLOGIC, Inc.", "Selenia Dimensions", "AWS:1.8.3.63|AWS:1.9.0.604"),
    Model("PT", "SIEMENS", "Biograph64_mCT", "VG60A|VG76B"),
    Model("PT", "GE MEDICAL SYSTEMS", "Discovery MI", "65.00"),
    Model("XA", "SIEMENS", "AXIOM-Artis", "VC21C 180102"),
)

PARTS = {
    "MR": "BRAIN|HEAD|CSPINE|LSPINE|KNEE|SHOULDER|ABDOMEN|PROSTATE|HEART|BREAST",
    "CT": "CHEST|ABDOMEN|HEAD|NECK|PELVIS|HEART|LSPINE",
    "US": "ABDOMEN|NECK|HEART|PELVIS",
    "DX": "CHEST|HAND|KNEE|PELVIS|FOOT",
    "CR": "CHEST|HAND|ANKLE",
    "MG": "BREAST",
    "PT": "WHOLEBODY|BRAIN",
    "XA": "HEART|HEAD",
}

KINDS = {
    "MR": "t1_mprage_sag|t2_tse_tra|t2_flair_tra fs|ep2d_diff_b1000 ADC|SWI 3D|T1 FSE COR|"
    "T1 VIBE +C|PD FS SAG|TOF 3D MRA|cine trufisp sax|DCE dynamic|localizer",
    "CT": "Thin 1.0 Br40|Lung 5.0 Bl57|Bone 2.0 Br64|CTA 0.75 Bv36|"
    "Topogram|MPR COR 3.0|Mediastinum 3.0|Dose Report",
    "US": "Clip|Doppler|Still|Elastography",
    "DX": "PA|LAT|AP supine|OBL",
    "CR": "PA|LAT",
    "MG": "R CC|L CC|R MLO|L MLO|Tomo R MLO|Tomo L CC",
    "PT": "WB AC|WB NAC|CTAC 3.0|BRAIN AC dynamic",
    "XA": "LCA 15 fps|RCA 15 fps|DSA 4 fps",
}

PROJECTS = tuple(
    f"{word}-{number:02d}"
    for word in [
        "ADNI",
        "UKB",
        "NAKO",
        "PROSTATEX",
        "LIDC",
        "MSBASE",
        "CARDIO",
        "KIDS",
        "ONCO",
        "KNEEOA",
    ]
    for number in range(1, 31)
)
"""Names of research projects, as technicians write them in front of a study description."""

AGENTS = ("Gadovist", "Dotarem", "Ultravist 370", "Omnipaque 350", "Imeron 400")
SEXES = ("F", "M", "F", "M", "O")
POSITIONS = ("HFS", "HFS", "HFS", "FFS", "HFP")
REFERRERS = tuple(
    f"{name}^Dr"
    for name in ["Meyer", "Okafor", "Lindqvist", "Rossi", "Nguyen", "Brown", "Dubois", "Sato"]
)
AETS = ("MODALITY_GW", "PACS_FWD", "VNA_OUT", "DIRECT")
FREE_TEXT = (
    "follow up",
    "status post",
    "rule out",
    "staging",
    "pre op",
    "control",
    "w/o contrast",
    "urgent",
    "seit 3 Tagen Schmerzen",
    "v.a. Läsion",
)
