"""The hooks into pika that its public interface does not offer."""

from __future__ import annotations

import pytest
from pika.adapters.utils.io_services_utils import _AsyncTransportBase
from pika.connection import Connection

from hourbridge.common.bus.wire import PIECE_BYTES, WireConnection


@pytest.fixture
def emitted(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    pieces: list[bytes] = []
    monkeypatch.setattr(
        Connection, "_output_marshaled_frames", lambda _self, frames: pieces.extend(frames)
    )
    monkeypatch.setattr(WireConnection, "is_closed", False)
    return pieces


@pytest.fixture
def connection() -> WireConnection:
    return WireConnection.__new__(WireConnection)  # nothing here needs a socket


def test_pika_still_has_what_is_hooked() -> None:
    assert hasattr(Connection, "_output_marshaled_frames")
    assert hasattr(Connection, "_terminate_stream")
    assert hasattr(_AsyncTransportBase, "_MAX_RECV_BYTES")


def test_frames_go_at_once_unless_joined(connection: WireConnection, emitted: list[bytes]) -> None:
    connection._output_marshaled_frames([b"a", b"b"])
    assert emitted == [b"a", b"b"]


def test_joined_frames_keep_their_order(connection: WireConnection, emitted: list[bytes]) -> None:
    with connection.joined():
        connection._output_marshaled_frames([b"a", b"b"])
        connection._output_marshaled_frames([b"c"])
        assert emitted == []
    assert emitted == [b"abc"]
    with connection.joined():
        pass
    assert emitted == [b"abc"]


def test_large_batches_go_in_pieces(connection: WireConnection, emitted: list[bytes]) -> None:
    with connection.joined():
        for _ in range(5):
            connection._output_marshaled_frames([b"x" * (PIECE_BYTES // 2)])
        assert [len(piece) for piece in emitted] == [PIECE_BYTES, PIECE_BYTES]
    assert sum(map(len, emitted)) == 5 * (PIECE_BYTES // 2)


def test_an_error_inside_still_sends_what_was_held(
    connection: WireConnection, emitted: list[bytes]
) -> None:
    def fail() -> None:
        with connection.joined():
            connection._output_marshaled_frames([b"a"])
            raise ValueError

    with pytest.raises(ValueError):
        fail()
    assert emitted == [b"a"]
