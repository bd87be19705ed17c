"""Plays the demonstration in a folder: a site, its images, one run, and the account of it.

Knows the order. Does not know how it is shown: whoever plays it is told of every event.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from mroute.demo.accounting import Account, account_for
from mroute.demo.images import DemoSeries, demo_series
from mroute.demo.webhook import serve_webhook
from mroute.events import Event
from mroute.hooks import Hooks
from mroute.registry import Registry
from mroute.router import read_image
from mroute.service import Service, open_site
from mroute.site import Site
from mroute.spool.arrivals.receiving import receive
from mroute.types import Decision


@dataclass(frozen=True, slots=True)
class Performance:
    """What was played: the series, what the rules said of each, and where the images are.

    ``messages`` are the JSON bodies that the webhook received.
    """

    series: Sequence[DemoSeries]
    decisions: Mapping[str, Decision]
    account: Account
    messages: Sequence[Any]


def play(
    root: Path, hooks: Hooks, registry: Registry, on_event: Callable[[Event], None]
) -> Performance:
    """Play the demonstration in the empty folder ``root``; ``on_event`` is told of every event."""
    hooks.listen(on_event)
    series = demo_series(read_image(registry))
    with serve_webhook() as inbox:
        rule_file = _write_rules(root, inbox.url)
        with open_site(rule_file, hooks, registry) as site:
            rules = site.configuration.rules
            decisions = {each.uid: rules.evaluate(each.tags) for each in series}
            images = {each.uid: _drop(site, root / "scanner", each) for each in series}
            Service(site).run_once()
    account = account_for(root, images, decisions)
    return Performance(series, decisions, account, tuple(inbox.messages))


def _write_rules(root: Path, webhook: str) -> Path:
    template = Template((files("mroute.demo") / "mroute.yaml").read_text("utf-8"))
    rules = template.substitute(
        PYTHON=json.dumps(sys.executable),
        MODULE=json.dumps(str(files("mroute.demo") / "stamp.py")),
        WEBHOOK=json.dumps(webhook),
    )
    path = root / "mroute.yaml"
    path.write_text(rules, "utf-8")
    return path


def _drop(site: Site, scanner: Path, series: DemoSeries) -> list[str]:
    """Put the images of a series into ``incoming/`` as a receiver would; returns their names."""
    scanner.mkdir(exist_ok=True)
    read = read_image(site.registry)
    names = []
    for path in series.images:
        sent = Path(shutil.copy(path, scanner / path.name))
        tags = {**read(sent), "SenderAET": "DEMO", "ReceiverAET": "MROUTE"}
        names.append(receive(site.spool, site.files, sent, tags).name)
    scanner.rmdir()
    return names
