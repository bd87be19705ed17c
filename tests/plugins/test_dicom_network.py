"""PDUs, commands and fragments: what is sent is what is read, and what is damaged is said to be."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mroute_dicom.network import connection as module
from mroute_dicom.network import messages
from mroute_dicom.network.connection import (
    Connection,
    PduType,
    PeerError,
    PeerGoneError,
    PeerSilentError,
    pdu,
)
from mroute_dicom.network.items import known_items
from mroute_dicom.network.negotiation import Proposal, release_association, request_association
from mroute_dicom.receiving.acceptance import (
    Asked,
    ContextResult,
    accepted_syntax,
    is_allowed_address,
)
from mroute_dicom.receiving.negotiation import decoded_request, encoded_answer
from mroute_dicom.receiving.settings import ReceiverSettings


class Slow:
    """A socket from which a byte comes every second, by the clock that it moves."""

    def __init__(self, content: bytes) -> None:
        self.content, self.now = content, 0.0

    def monotonic(self) -> float:
        return self.now

    def setsockopt(self, *options: object) -> None:
        """Take no notice."""

    def settimeout(self, seconds: float) -> None:
        """Take no notice: a byte comes in time."""

    def recv_into(self, buffer: memoryview) -> int:
        self.now += 1
        buffer[:1], self.content = self.content[:1], self.content[1:]
        return 1


def test_a_byte_a_second_is_not_waited_for_longer_than_for_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slow = Slow(pdu(PduType.P_DATA, bytes(100_000)))
    monkeypatch.setattr(module, "time", slow)
    with pytest.raises(PeerSilentError, match="said nothing for 30 s"):
        Connection(slow).receive(300, 1 << 20, 30)  # type: ignore[arg-type]
    assert slow.now == 6 + 30
    again = Slow(pdu(PduType.P_DATA, bytes(100)))
    monkeypatch.setattr(module, "time", again)
    with pytest.raises(PeerSilentError, match="said nothing for 5 s"):
        Connection(again).receive(5, 1 << 20, 30)  # type: ignore[arg-type]


def two() -> tuple[Connection, Connection]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = socket.create_connection(listener.getsockname())
        other, _ = listener.accept()
    return Connection(one), Connection(other)


def test_a_pdu_arrives_whole_and_what_is_none_is_refused() -> None:
    one, other = two()
    one.send(pdu(PduType.P_DATA, b"abc"), 5)
    kind, content = other.receive(5, 10)
    assert (kind, bytes(content)) == (4, b"abc")
    one.send(pdu(PduType.P_DATA, b"abcdef"), 5)
    with pytest.raises(PeerError, match="a PDU of 6 bytes, 5 are allowed"):
        other.receive(5, 5)
    one.send(b"GET / HTTP/1.1", 5)
    one.close()
    with pytest.raises(PeerError):
        other.receive(5, 5)
    other.close()
    third, fourth = two()
    third.close()
    with pytest.raises(PeerGoneError, match="closed the connection"):
        fourth.receive(5, 5)
    fourth.close()


UIDS = st.from_regex(r"[1-9](\.[1-9][0-9]{0,5}){1,8}", fullmatch=True)


@settings(derandomize=True)
@given(UIDS, UIDS, st.integers(1, 65_535))
def test_a_command_is_read_as_it_was_written(sop_class: str, uid: str, number: int) -> None:
    command = messages.decoded(messages.store_request(number, sop_class, uid))
    assert command[messages.COMMAND_FIELD] == messages.C_STORE_RQ
    assert (command[messages.SOP_CLASS], command[messages.SOP_INSTANCE]) == (sop_class, uid)
    assert messages.has_data_set(command)
    answer = messages.decoded(messages.response(command, 0xA700))
    assert answer[messages.COMMAND_FIELD] == messages.C_STORE_RSP
    assert (answer[messages.ANSWERED_ID], answer[messages.STATUS]) == (number, 0xA700)
    assert answer[messages.SOP_INSTANCE] == uid
    assert not messages.has_data_set(answer)


@settings(derandomize=True)
@given(st.binary(max_size=5_000), st.integers(10, 600), st.integers(0, 127))
def test_a_data_set_is_put_together_again(content: bytes, largest: int, number: int) -> None:
    sent = b"".join(messages.data_pdus(2 * number + 1, memoryview(content), largest))
    parts, ends = b"", []
    while sent:
        kind, length = struct.unpack_from(">BxI", sent)
        assert kind == PduType.P_DATA
        assert length <= largest
        for context, is_command, is_last, part in messages.fragments(
            bytearray(sent[6 : 6 + length])
        ):
            assert (context, is_command) == (2 * number + 1, False)
            assert len(part) % 2 == 0
            parts += bytes(part)
            ends.append(is_last)
        sent = sent[6 + length :]
    assert parts == content + b"\0" * (len(content) % 2)
    assert ends == [False] * (len(ends) - 1) + [True] * bool(ends)


@pytest.mark.parametrize("largest", [1, 6, 7])
def test_a_peer_that_takes_nothing_is_told_from_one_that_takes_little(largest: int) -> None:
    with pytest.raises(PeerError, match=f"no PDU of more than {largest} bytes"):
        messages.command_pdus(1, b"abcd", largest)
    assert len(messages.command_pdus(1, b"abcd", 8)) == 2 * 14


def asked_with(unknown: bytes) -> bytes:
    """The content of an A-ASSOCIATE-RQ as mroute sends it, with more user information."""
    one, other = two()
    asking = threading.Thread(target=_ask, args=(one,))
    asking.start()
    _, content = other.receive(5, 1 << 20)
    other.close()
    asking.join()
    one.close()
    begin = content.index(b"\x50\x00", 68)
    (length,) = struct.unpack_from(">H", content, begin + 2)
    return (
        bytes(
            content[:begin]
            + struct.pack(">BxH", 0x50, length + len(unknown))
            + content[begin + 4 :]
        )
        + unknown
    )


def _ask(connection: Connection) -> None:
    proposal = Proposal("1.2.840.10008.1.1", ("1.2.840.10008.1.2",))
    with suppress(PeerError):
        request_association(connection, "MROUTE", "PACS", (proposal,), 5)


def test_items_that_nobody_knows_are_left_alone() -> None:
    known, strange = asked_with(b""), asked_with(struct.pack(">BxH", 0x5A, 3) + b"new")
    assert len(strange) == len(known) + 7
    assert known_items(known) == known
    assert known_items(strange) == known
    assert decoded_request(strange) == decoded_request(known)
    more = known + struct.pack(">BxH", 0x77, 2) + b"??"
    assert decoded_request(more) == decoded_request(known)
    for end in range(69, len(known)):  # in an item, or between two: read or refused, never else
        with suppress(PeerError):
            assert decoded_request(known[:end]).calling == "MROUTE"


def test_a_context_without_a_transfer_syntax_is_answered() -> None:
    asked = Asked("A", "B", {1: ("1.2.3", ())}, 0)
    answer, accepted = encoded_answer(asked, lambda *_: ContextResult.NO_TRANSFER_SYNTAX, 16_384)
    assert (answer[0], accepted) == (PduType.ASSOCIATE_AC, {})


def test_a_peer_that_closes_instead_of_releasing_has_answered_all_it_was_asked() -> None:
    one, other = two()
    other.close()
    release_association(one, 5)
    with pytest.raises(PeerError):
        one.receive(5, 10)
    one.close()


@settings(derandomize=True)
@given(st.binary(max_size=200))
def test_bytes_that_are_no_dicom_are_refused_and_nothing_else(content: bytes) -> None:
    outcomes = set()
    for read in (messages.decoded, _fragments, decoded_request):
        with suppress(PeerError):
            outcomes.add(type(read(content)))
    assert outcomes <= {dict, list, Asked}


def _fragments(content: bytes) -> list[object]:
    return list(messages.fragments(bytearray(content)))


CT, LITTLE, JPEG = "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.50"


@pytest.mark.parametrize(
    ("settings", "sop_class", "syntaxes", "taken"),
    [
        ({}, CT, (JPEG, LITTLE), JPEG),
        ({}, "1.2.840.10008.1.1", ("1.2.840.10008.1.2",), "1.2.840.10008.1.2"),
        ({}, "1.2.840.10008.5.1.4.34.7", (LITTLE,), LITTLE),
        ({}, "1.2.840.10008.5.1.4.1.2.2.1", (LITTLE,), ContextResult.NO_SOP_CLASS),
        ({}, "1.3.6.1.4.1.99.1", (LITTLE,), ContextResult.NO_SOP_CLASS),
        ({"private_sop_classes": True}, "1.3.6.1.4.1.99.1", (LITTLE,), LITTLE),
        ({"compressed": False}, CT, (JPEG, LITTLE), LITTLE),
        ({"compressed": False}, CT, (JPEG,), ContextResult.NO_TRANSFER_SYNTAX),
        ({}, CT, ("1.3.6.1.4.1.99.2",), ContextResult.NO_TRANSFER_SYNTAX),
    ],
)
def test_which_contexts_are_accepted(
    settings: dict[str, bool], sop_class: str, syntaxes: tuple[str, ...], taken: object
) -> None:
    receiver = ReceiverSettings.model_validate({"port": 104, **settings})
    assert accepted_syntax(receiver, sop_class, syntaxes) == taken


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("10.2.0.1", False),
        ("192.0.2.7", True),
        ("fe80::1%eth0", True),
        ("somewhere", False),
    ],
)
def test_which_addresses_are_listened_to(address: str, wanted: bool) -> None:
    allow = {"addresses": ["10.1.0.0/16", "192.0.2.7", "fe80::/10"]}
    receiver = ReceiverSettings.model_validate({"port": 104, "allow": allow})
    assert is_allowed_address(receiver, address) is wanted
