"""Resident memory of each service process while many records flow."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.children import Child

SAMPLE_SECONDS = 0.5
_MEBIBYTE = 1024 * 1024


@dataclass
class MemoryCurve:
    """Resident bytes of one process over a run."""

    samples: list[int] = field(default_factory=list)

    @property
    def max_mebibytes(self) -> float:
        """Return the highest sample."""
        return max(self.samples) / _MEBIBYTE

    @property
    def growth_mebibytes(self) -> float:
        """Return by how much the last tenth lies above the tenth that follows the middle."""
        tenth = max(1, len(self.samples) // 10)
        middle = len(self.samples) // 2
        early = median(self.samples[middle : middle + tenth])
        return (median(self.samples[-tenth:]) - early) / _MEBIBYTE


class MemoryWatch:
    """Samples processes in a thread of its own while its ``with`` block runs."""

    def __init__(self, children: Sequence[Child]) -> None:
        self.curves = {child.name: MemoryCurve() for child in children}
        self._children = children
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> MemoryWatch:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            started = time.monotonic()
            for child in self._children:
                self.curves[child.name].samples.append(child.resident_bytes())
            self._stopping.wait(max(0.0, started + SAMPLE_SECONDS - time.monotonic()))
