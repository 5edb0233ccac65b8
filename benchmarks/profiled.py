"""Runs a module as a program and writes down where its threads spend processor time.

``python -m benchmarks.profiled OUTPUT MODULE`` samples every thread's stack and weighs each sample
by the processor time that the thread has used since the one before, so that waiting counts as
nothing. Written at the end: self time by function, cumulative time by function, time by thread.
"""

from __future__ import annotations

import heapq
import runpy
import sys
import threading
import time
from collections import defaultdict
from operator import itemgetter
from pathlib import Path
from types import FrameType

_INTERVAL_SECONDS = 0.005
_LINES_MAX = 45


class Sampler:
    """Samples all threads but its own."""

    def __init__(self) -> None:
        self.own: defaultdict[str, float] = defaultdict(float)
        self.cumulative: defaultdict[str, float] = defaultdict(float)
        self.threads: defaultdict[str, float] = defaultdict(float)
        self._used: dict[int, float] = {}
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)

    def start(self) -> None:
        """Begin to sample."""
        self._thread.start()

    def _run(self) -> None:
        while True:
            time.sleep(_INTERVAL_SECONDS)
            names = {thread.ident: thread.name for thread in threading.enumerate()}
            for ident, frame in sys._current_frames().items():
                if ident != self._thread.ident and ident in names:
                    self._note(ident, names[ident], frame)

    def _note(self, ident: int, name: str, frame: FrameType) -> None:
        try:
            used = time.clock_gettime(time.pthread_getcpuclockid(ident))
        except OSError:  # the thread has ended meanwhile
            return
        spent = used - self._used.get(ident, used)
        self._used[ident] = used
        if spent <= 0:
            return
        self.threads[name] += spent
        stack = list(dict.fromkeys(_labels(frame)))
        self.own[stack[0]] += spent
        for label in stack:
            self.cumulative[label] += spent

    def text(self) -> str:
        """Return the three tables."""
        parts = (
            ("by thread", self.threads),
            ("self", self.own),
            ("cumulative", self.cumulative),
        )
        lines = []
        for title, spent in parts:
            lines.append(f"--- {title}, processor seconds")
            largest = heapq.nlargest(_LINES_MAX, spent.items(), key=itemgetter(1))
            lines += [f"{value:8.2f}  {label}" for label, value in largest]
        return "\n".join(lines) + "\n"


def _labels(frame: FrameType | None) -> list[str]:
    labels = []
    while frame is not None:
        code = frame.f_code
        path = "/".join(Path(code.co_filename).parts[-3:])
        labels.append(f"{code.co_qualname} ({path})")
        frame = frame.f_back
    return labels


def main() -> None:
    """Profile the module named by the second argument; write to the file named by the first."""
    output, module = sys.argv[1], sys.argv[2]
    sampler = Sampler()
    sampler.start()
    sys.argv = [module]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        Path(output).parent.mkdir(parents=True, exist_ok=True)
        Path(output).write_text(sampler.text())


if __name__ == "__main__":
    main()
