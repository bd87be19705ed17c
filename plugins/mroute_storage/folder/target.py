"""The model of a target of the type ``folder``.

Knows what a person may say about a folder. Does not know how anything gets there.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mroute.api import FilePath, TargetBase
from mroute_storage.layout import Layout
from mroute_storage.placement import Exclude


class FolderTarget(TargetBase):
    """A folder that gets tasks as folders, or images in folders that their tags name."""

    type: Literal["folder"]
    path: FilePath = Field(
        description="The folder, relative to this file. Where it is missing it is made, if the "
        "folder above it is there.",
        examples=["/data/archive"],
    )
    layout: Layout = Field(
        "",
        description="Folders below it that images go to, with tags by keyword, and `task_id`, in "
        "braces. If not given, each task gets a folder of its own, with its `task.json`, which "
        "appears when it is whole.",
    )
    exclude: Exclude = ()
