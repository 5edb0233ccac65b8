"""The parts of the poster that deal with recognition, joined."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.routing import Route

from hourbridge.common.clock import Clock
from hourbridge.common.runtime.tasks import PeriodicTask
from hourbridge.common.store.engine import Store
from hourbridge.poster.document_store import DocumentStore
from hourbridge.poster.recognition.recognizer import Recognizer
from hourbridge.poster.recognition.report import RecognitionReport
from hourbridge.poster.recognition.routes import RecognitionApi

MONTHS_SECONDS = 600.0


@dataclass(frozen=True)
class RecognitionParts:
    """What is recognized, and what people are shown of it."""

    recognizer: Recognizer
    report: RecognitionReport

    def routes(self) -> list[Route]:
        """Return the routes about recognition."""
        return RecognitionApi(self.recognizer, self.report).routes()

    def tasks(self, tick_seconds: float) -> list[PeriodicTask]:
        """Return what is done by itself: posted documents at once, months when they are over."""
        run_due, run_months = self.recognizer.run_due, self.recognizer.run_months
        return [
            PeriodicTask("recognition", tick_seconds, lambda: _discard(run_due())),
            PeriodicTask("recognition-months", MONTHS_SECONDS, lambda: _discard(run_months())),
        ]


def recognition_parts(
    store: Store, documents: DocumentStore, clock: Clock, *, announced: Callable[[], None]
) -> RecognitionParts:
    """Return the parts, joined."""
    return RecognitionParts(
        recognizer=Recognizer(store, documents, clock, announced),
        report=RecognitionReport(store),
    )


def _discard(_count: int) -> None:
    """Tasks return nothing."""
