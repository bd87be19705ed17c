"""What `mroute validate-rules` will say about the imported file, entry by entry.

Knows how a place in the rule file leads back to mercure's entry and key. Does not know what is
checked: that is asked of the configuration and the installed plugins.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from mroute.config import validate
from mroute.config.nodes import Node
from mroute.config.yaml_nodes import read_yaml
from mroute.errors import Problem
from mroute.mercure.findings import SETTINGS, Finding
from mroute.mercure.reading import SECTIONS
from mroute.registry import Registry

_THEIRS = {
    "rules": {
        "when": "rule",
        "on": "action_trigger",
        "study.series": "study_trigger_series",
        "study.complete": "study_trigger_condition",
        "study.else": "study_force_completion_action",
        "study": "action_trigger",
        "modules": "processing_module",
        "settings": "processing_settings",
        "retain_input_images": "processing_retain_images",
        "targets": "target",
    },
    "targets": {
        "type": "target_type",
        "aet": "aet_target",
        "calling_aet": "aet_source",
        "path": "folder",
        "exclude": "file_filter",
        "project": "project_id",
        "after": "run_on_complete",
        "access_key": "access_key_id",
        "secret_key": "secret_access_key",
        "authentication.user": "http_user",
    },
    "modules": {
        "runner": "process_runner",
        "image": "docker_tag",
        "volumes": "additional_volumes",
    },
    SETTINGS: {
        "timing.series_complete_after": "series_complete_trigger",
        "timing.study_complete_after": "study_complete_trigger",
        "timing.retry_after": "retry_delay",
        "timing.retry_max": "retry_max",
    },
}
"""Keys of the rule file to those of mercure, by section; others have the same name or none."""

_OF_TYPE = {"dicom": {"host": "ip"}, "s3": {"layout": "prefix"}, "xnat": {"url": "host"}}
"""Keys of a target that mercure calls otherwise in one type only."""

_CHANNELS = {"webhook": "notification_webhook", "email": "notification_email"}


def verdict(text: str, registry: Registry) -> Iterator[Finding]:
    """The findings of `validate-rules` about the rule file ``text``."""
    with TemporaryDirectory(prefix="mroute-") as folder:
        file = Path(folder) / "mroute.yaml"
        file.write_text(text, "utf-8")
        problems = validate(file, registry)
    root = read_yaml(text).root
    assert root is not None
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    for problem in problems:
        yield _finding(problem, root, starts[problem.line - 1] + problem.column - 1)


def _finding(problem: Problem, root: Node, offset: int) -> Finding:
    path = list(_path(root, offset))
    section, name = SETTINGS, ""
    if path and path[0] in SECTIONS:
        section, name, path = path[0], "".join(path[1:2]), path[2:]
    return Finding(
        section=section,
        name=name,
        key=_theirs(section, path, root, name),
        code=problem.code,
        message=problem.message,
        hint=problem.hint,
        severity=problem.severity,
    )


def _path(node: Node, offset: int) -> Iterator[str]:
    """The keys and positions that lead to what stands at ``offset``."""
    for key, entry in (node.entries or {}).items():
        if entry.start <= offset < max(entry.end, entry.node.end):
            yield key
            yield from _path(entry.node, offset)
            return
    for position, item in enumerate(node.items or ()):
        if item.start <= offset < item.end:
            yield str(position)
            yield from _path(item, offset)
            return


def _theirs(section: str, path: list[str], root: Node, name: str) -> str:
    """Mercure's key for what is at ``path`` in an entry; ours where it has none."""
    if section == "rules" and path[:1] == ["notify"]:
        channel = root.child("rules")
        for step in (name, "notify", int(path[1]) if len(path) > 1 else 0, "channel"):
            channel = channel.child(step) if channel else None
        return _CHANNELS.get(str(channel.value) if channel else "", "notification_webhook")
    keys = _THEIRS[section]
    if section == "targets":
        target = root.child("targets")
        for step in (name, "type"):
            target = target.child(step) if target else None
        keys = {**keys, **_OF_TYPE.get(str(target.value) if target else "", {})}
    for length in range(len(path), 0, -1):
        if found := keys.get(".".join(path[:length])):
            return found
    return ".".join(path)
