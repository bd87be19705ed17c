"""Reads the tags of DICOM files, takes files out of a folder, and adds functions to rules.

Knows which hooks the plugin implements. Does not know DICOM (reader, elements, functions), how a
folder is emptied (inbox) or how tags are printed (command).
"""

from __future__ import annotations

import click
from pydantic import BaseModel

from mroute.api import HealthCheck, RuleFunction, ServiceType, TagReader, TargetType, hookimpl
from mroute_dicom.command import tags_command
from mroute_dicom.functions import FUNCTIONS
from mroute_dicom.health import check_programs, check_receiver
from mroute_dicom.inbox import is_wanted, run_inbox
from mroute_dicom.reader import read_tags
from mroute_dicom.receiving.service import is_wanted as is_receiver_wanted
from mroute_dicom.receiving.service import run_receiver
from mroute_dicom.sending.check import check_dicom
from mroute_dicom.sending.send import send_to_dicom
from mroute_dicom.sending.target import DicomTarget
from mroute_dicom.settings import DicomSettings


@hookimpl
def mroute_tag_readers() -> list[TagReader]:
    """Makes the tag list of an image that came without one."""
    return [TagReader("pydicom", read_tags)]


@hookimpl
def mroute_rule_functions() -> tuple[RuleFunction, ...]:
    """Ages, dates, times, names and tags with several values."""
    return FUNCTIONS


@hookimpl
def mroute_settings() -> type[BaseModel]:
    """The section ``dicom`` of the settings."""
    return DicomSettings


@hookimpl
def mroute_target_types() -> list[TargetType]:
    """A DICOM Storage SCP."""
    return [TargetType("dicom", DicomTarget, send_to_dicom, check_dicom)]


@hookimpl
def mroute_services() -> list[ServiceType]:
    """What the settings ask for: a folder that files are taken out of, a Storage SCP."""
    return [
        ServiceType("inbox", run_inbox, is_wanted),
        ServiceType("receiver", run_receiver, is_receiver_wanted),
    ]


@hookimpl
def mroute_health_checks() -> list[HealthCheck]:
    """Whether the receiver can receive, and whether the programs are there that are asked for."""
    return [HealthCheck("receiver", check_receiver), HealthCheck("dcmtk", check_programs)]


@hookimpl
def mroute_commands(cli: click.Group) -> None:
    """Adds ``mroute tags``."""
    cli.add_command(tags_command)
