"""Plays the demonstration in a folder: a site, its images, one run, and the account of it.

Knows the order. Does not know how it is shown: whoever plays it is told of every event.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from mroute.demo.accounting import Account, account_for
from mroute.demo.images import DemoSeries, demo_series
from mroute.demo.pacs import serve_pacs
from mroute.demo.scanner import send
from mroute.demo.webhook import serve_webhook
from mroute.events import Event
from mroute.hooks import Hooks
from mroute.image_tags import read_image
from mroute.registry import Registry
from mroute.service import Service, open_site
from mroute.site import Site
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
    with serve_webhook() as inbox, serve_pacs(root / "pacs") as pacs:
        port = _free_port()
        rule_file = _write_rules(root, inbox.url, port, pacs)
        with open_site(rule_file, hooks, registry) as site:
            rules = site.configuration.rules
            decisions = {each.uid: rules.evaluate(each.tags) for each in series}
            with _receiving(site):
                send((image for each in series for image in each.images), port)
            images = {each.uid: _received(site, each.uid) for each in series}
            Service(site).run_once()
    account = account_for(root, images, decisions)
    return Performance(series, decisions, account, tuple(inbox.messages))


def _write_rules(root: Path, webhook: str, port: int, pacs: int) -> Path:
    template = Template((files("mroute.demo") / "mroute.yaml").read_text("utf-8"))
    rules = template.substitute(
        PYTHON=json.dumps(sys.executable),
        MODULE=json.dumps(str(files("mroute.demo") / "stamp.py")),
        WEBHOOK=json.dumps(webhook),
        PORT=port,
        PACS=pacs,
    )
    path = root / "mroute.yaml"
    path.write_text(rules, "utf-8")
    return path


@contextmanager
def _receiving(site: Site) -> Iterator[None]:
    """Run the services of the site, and with them its receiver, until the context ends."""
    stop = threading.Event()
    thread = threading.Thread(target=Service(site, stop).run_services)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _received(site: Site, series_uid: str) -> list[str]:
    """The names of the images of a series that have arrived."""
    return sorted(path.name for path in (site.spool.incoming / series_uid).glob("*.dcm"))


def _free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
