"""The PACS of the demonstration: a Storage SCP on loopback that keeps images in a folder.

Knows pynetdicom, and nothing of mroute. Does not know who sends.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydicom.uid import AllTransferSyntaxes
from pynetdicom import AE, AllStoragePresentationContexts, evt


@contextmanager
def serve_pacs(folder: Path) -> Iterator[int]:
    """Keep what is sent to ``folder`` until the context ends; gives the port."""
    folder.mkdir()

    def store(event: evt.Event) -> int:
        dataset = event.dataset
        name = f"{dataset.SeriesInstanceUID}#{dataset.SOPInstanceUID}.dcm"
        (folder / name).write_bytes(event.encoded_dataset())
        return 0x0000

    pacs = AE(ae_title="PACS")
    for context in AllStoragePresentationContexts:
        pacs.add_supported_context(str(context.abstract_syntax), AllTransferSyntaxes)
    server = pacs.start_server(
        ("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_C_STORE, store)]
    )
    assert server is not None  # it does not block
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
