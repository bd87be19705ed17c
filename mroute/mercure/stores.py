"""Targets that keep files: folders, here or on another machine, and buckets.

Knows the keys of mercure's types, what they are called here, and where files had other names. Does
not know how a secret is replaced (credentials).
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from mroute.mercure.codes import Code
from mroute.mercure.credentials import secret
from mroute.mercure.keys import Keys

_SCRIPT = "mercure_complete.sh"
"""What mercure runs in the folder of a target of the type ``rsync``."""


def convert_folder(keys: Keys, variables: str) -> dict[str, Any]:
    """A folder of this machine; ``variables`` is for types that have secrets."""
    patterns = keys.text("file_filter")
    if isinstance(patterns, str):
        patterns = [each.strip() for each in patterns.split(",") if each.strip()]
    message = "a task is there as a whole or not at all, so no file '.complete' is written"
    hint = "check what reads the folder: let it take folders whose names do not begin with a dot"
    keys.where.tell(Code.CHANGED, "folder", message, hint)
    return {"path": keys.text("folder"), "exclude": patterns or ""}


def convert_sftp(keys: Keys, variables: str) -> dict[str, Any]:
    """A folder of an SFTP server."""
    _tell_remote(keys, "images and their tags are sent")
    password = secret(keys, "password", f"{variables}_PASSWORD")
    if not password:
        message = "mercure logs in with a key of its user; here the file of the key has a name"
        hint = "write 'key: ...' in the rule file: a private key that the server knows"
        keys.where.tell(Code.ABSENT, "password", message, hint)
    return {
        "host": keys.text("host"),
        "path": keys.text("folder"),
        "user": keys.text("user"),
        "password": password,
    }


def convert_rsync(keys: Keys, variables: str) -> dict[str, Any]:
    """A folder that rsync writes into, and what is run there at the end."""
    _tell_remote(keys, "images alone are sent")
    message = "rsync logs in with a key here, never with a password, which was left out"
    hint = "make a key with ssh-keygen, add it with ssh-copy-id, and name its file: 'key: ...'"
    keys.drop(("password",), Code.LEFT_OUT, message, hint)
    path, run = keys.text("folder"), keys.flag("run_on_complete")
    if isinstance(path, str):
        path = path.removeprefix("~/")  # a relative one is in the home folder
    if run is True:
        run = [f"{str(path).rstrip('/')}/{_SCRIPT}", "{folder}", keys.where.name]
    after = {} if run is False else {"after": run}
    return {"host": keys.text("host"), "path": path, "user": keys.text("user"), **after}


def convert_s3(keys: Keys, variables: str) -> dict[str, Any]:
    """A bucket; mercure puts prefix and task before the name of each file."""
    return {
        "region": keys.text("region"),
        "bucket": keys.text("bucket"),
        "layout": _prefix(keys),
        "access_key": secret(keys, "access_key_id", f"{variables}_ACCESS_KEY"),
        "secret_key": secret(keys, "secret_access_key", f"{variables}_SECRET_KEY"),
    }


def _prefix(keys: Keys) -> Any:
    """Mercure's prefix as a layout: its text as it is, with single slashes in between only."""
    prefix = keys.text("prefix")
    if not isinstance(prefix, str):
        return prefix
    path = PurePosixPath(prefix)
    if path.root:
        message = "mercure's keys begin with a slash; here they do not"
        hint = "look for the prefix in what reads the bucket"
        keys.where.tell(Code.CHANGED, "prefix", message, hint)
    folders = [each for each in path.parts if each != path.root]
    literal = [each.replace("{", "{{").replace("}", "}}") for each in folders]
    return "/".join([*literal, "{task_id}"])


def _tell_remote(keys: Keys, what: str) -> None:
    """What is different with every folder on another machine; ``what`` gets there."""
    message = "mercure takes any key that the host shows; here it must be known before"
    hint = "get it with ssh-keyscan, compare it with that of the host, and add it to known_hosts"
    keys.where.tell(Code.CHANGED, "host", message, hint)
    message = f"{what}, without the task's own files and without a file '.complete'"
    hint = "check what reads the folder: an image is there under its own name when it is whole"
    keys.where.tell(Code.CHANGED, "folder", message, hint)
