"""The settings of a mercure server: its timings are converted, the rest is told.

Knows what every setting does there and what becomes of it here. Does not know rules, targets or
modules.
"""

from __future__ import annotations

from typing import Any

from mroute.mercure.codes import Code
from mroute.mercure.durations import duration
from mroute.mercure.keys import Keys, is_off

FORCE_AFTER = 5400
"""Seconds after which mercure forces a study's completion, if its configuration does not say."""

_TIMING = {
    "series_complete_trigger": ("series_complete_after", 60),
    "study_complete_trigger": ("study_complete_after", 900),
    "retry_delay": ("retry_after", 900),
}
_RETRY_MAX = 5

_TOLD: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("appliance_name", "appliance_color"),
        "mroute has no web page that shows it",
        "",
    ),
    (
        ("port", "accept_compressed_images"),
        "how images are received over the network is not part of the rules",
        "set up the receiver so that the scanners need not be changed; see 'mroute plugins list'",
    ),
    (
        (
            "incoming_folder",
            "studies_folder",
            "outgoing_folder",
            "success_folder",
            "error_folder",
            "discard_folder",
            "processing_folder",
            "jobs_folder",
            "persistence_folder",
        ),
        "mroute keeps its folders in one spool and does not read those of mercure",
        "set 'spool', and let mercure finish what is in its folders before it is switched off",
    ),
    (
        ("router_scan_interval", "dispatcher_scan_interval", "cleaner_scan_interval"),
        "mroute wakes up by itself when there is something to do",
        "",
    ),
    (
        ("retention", "emergency_clean_percentage"),
        "how long finished and discarded images are kept is not part of the rules",
        "watch the space in 'success/' and 'discard/' of the spool",
    ),
    (
        (
            "graphite_ip",
            "graphite_port",
            "influxdb_host",
            "influxdb_token",
            "influxdb_org",
            "influxdb_bucket",
            "bookkeeper",
            "bookkeeper_api_key",
        ),
        "mroute reports to no such server",
        "its log has every event; a plugin can send them anywhere (hook 'mroute_event')",
    ),
    (
        ("processing_runtime", "support_root_modules"),
        "how containers are run is up to the plugin that runs them",
        "look at the modules that need it",
    ),
    (
        ("processing_logs",),
        "mroute keeps the end of a module's output in its task",
        "",
    ),
    (
        ("email_notification_from",),
        "mail goes through a mail server that the settings name",
        "write: settings: {notification: {smtp: {host: ..., sender: ...}}}",
    ),
    (
        ("webhook_certificate_location",),
        "webhooks are called with the certificates that the system trusts",
        "add the certificate to those of the system, or name it in SSL_CERT_FILE",
    ),
    (
        ("phi_notifications",),
        "patients are named in notifications only where that is wanted anew",
        "to allow it, write: settings: {notification: {patient_data: true}}",
    ),
    (
        ("server_time", "local_time"),
        "mroute writes all times in UTC",
        "",
    ),
    (
        ("dicom_retrieve",),
        "mroute does not query other archives",
        "",
    ),
    (
        ("store_sample_dicom_tags",),
        "mroute keeps the tags of every image beside it, and in no data base",
        "",
    ),
    (
        ("features",),
        "what is there depends on the installed plugins alone",
        "see 'mroute plugins list'",
    ),
)


_OFFPEAK = {"offpeak_start": "22:00", "offpeak_end": "06:00"}
"""The keys of the hours of off-peak work, with mercure's defaults."""


def convert_timing(keys: Keys) -> dict[str, Any]:
    """The section ``timing``, with mercure's own defaults for what its file leaves out."""
    timing = {
        ours: duration(keys.number(theirs, default)) for theirs, (ours, default) in _TIMING.items()
    }
    begin, end = (keys.text(key, default) for key, default in _OFFPEAK.items())
    offpeak = {} if begin == end else {"offpeak": f"{begin}-{end}"}
    return {**timing, **offpeak, "retry_max": keys.number("retry_max", _RETRY_MAX)}


def added_tags(keys: Keys) -> frozenset[str]:
    """The names of the tags that mercure's receiver writes beside its own."""
    receiver = keys.take("dicom_receiver")
    tags = receiver.get("additional_tags") if isinstance(receiver, dict) else None
    tags = tags if isinstance(tags, dict | list) else ()
    if tags or not (is_off(receiver) or receiver == {"additional_tags": tags}):
        message = "mroute's rules see all elements of an image that have a text"
        hint = 'a private one is written by number: tags["0019,100c"]'
        keys.where.tell(Code.NO_COUNTERPART, "dicom_receiver", message, hint)
    return frozenset(each for each in tags if isinstance(each, str))


def tell_the_rest(keys: Keys) -> None:
    """Tell every setting that has no counterpart, and those that are unknown."""
    for names, message, hint in _TOLD:
        keys.drop(names, Code.NO_COUNTERPART, message, hint)
    keys.close()
