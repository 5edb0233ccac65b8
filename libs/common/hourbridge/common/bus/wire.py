"""How bytes go to and come from the socket: fewer, larger system calls than pika makes.

pika sends every frame (three per message) and receives every 4 KiB with a system call of its own.
Each gives up Python's interpreter lock, and under load takes milliseconds to get it back. Joining
what one batch publishes cuts that to one call per 64 KiB. The hooks are not pika's public
interface: pika is pinned, and ``test_wire.py`` fails when an upgrade moves them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from pika.adapters.select_connection import SelectConnection

PIECE_BYTES = 64 * 1024
RECEIVE_BYTES = 16 * 1024
"""Not more: pika copies the rest of its buffer for every frame that it takes off."""


class WireConnection(SelectConnection):
    """A SelectConnection that can join the frames of many messages; I/O thread only."""

    _held: list[bytes] | None = None
    _held_bytes = 0

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Send what is published inside in large pieces, in the same order."""
        self._held = []
        try:
            yield
        finally:
            held, self._held = self._held, None
            self._emit(held)

    def receive_more(self) -> None:
        """Read larger pieces from the socket; call once the connection is open."""
        if self._transport is not None:
            self._transport._MAX_RECV_BYTES = RECEIVE_BYTES

    def _output_marshaled_frames(self, marshaled_frames: Sequence[bytes]) -> None:
        if self._held is None:
            super()._output_marshaled_frames(marshaled_frames)
            return
        self._held.extend(marshaled_frames)
        self._held_bytes += sum(map(len, marshaled_frames))
        if self._held_bytes >= PIECE_BYTES:
            held, self._held = self._held, []
            self._emit(held)

    def _emit(self, held: list[bytes]) -> None:
        self._held_bytes = 0
        if held and not self.is_closed:
            super()._output_marshaled_frames([b"".join(held)])
