"""The processing module of the demonstration: stamps the description of every image.

Knows the contract of a module: images in one folder, results in another. Does not know who runs
it: it needs pydicom and nothing of mroute.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pydicom


def stamp(inbox: Path, outbox: Path) -> int:
    """Write each image of ``inbox`` into ``outbox`` with the stamp; returns how many there were.

    The text of the stamp comes from the settings in the task file.
    """
    task = json.loads((inbox / "task.json").read_bytes())
    process = task["process"]
    entry = process[0] if isinstance(process, list) else process
    text = entry["settings"].get("text", "stamped")
    images = sorted(path for path in inbox.iterdir() if path.suffix == ".dcm")
    for path in images:
        dataset = pydicom.dcmread(path)
        dataset.SeriesDescription = f"{dataset.get('SeriesDescription', '')} ({text})"[:64]
        dataset.save_as(outbox / path.name)
    (outbox / "result.json").write_text(json.dumps({"stamped": len(images)}))
    return len(images)


if __name__ == "__main__":
    stamp(Path(os.environ["MROUTE_IN_DIR"]), Path(os.environ["MROUTE_OUT_DIR"]))
