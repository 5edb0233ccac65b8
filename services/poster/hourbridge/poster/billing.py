"""Billing: what waits becomes documents, under a lock per engagement, priced by pure rules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from sqlalchemy import Connection

from hourbridge.billing.assembly import Assembly, Leakage, assemble
from hourbridge.billing.basis import carry_key
from hourbridge.billing.grouping import billing_period, fee_key, ledger_key
from hourbridge.common.clock import Clock
from hourbridge.common.faults import fault_point
from hourbridge.common.messages.events import Charge, Document, DocumentStatus
from hourbridge.common.store.engine import Store
from hourbridge.poster import group_store, supplements
from hourbridge.poster.capping import FittedSupplements, fit_supplements, limits_of
from hourbridge.poster.configurations import Configured, known_configuration
from hourbridge.poster.currencies.costs import in_client_currency
from hourbridge.poster.currencies.rates import BookRates
from hourbridge.poster.currencies.stamping import stamp
from hourbridge.poster.document_store import DocumentStore
from hourbridge.poster.documents import Group, HeldSupplement, NewDocument, build_document
from hourbridge.poster.fault_points import DOCUMENTS_ASSEMBLED, DOCUMENTS_COMMITTED
from hourbridge.poster.fees import attach_covered
from hourbridge.poster.group_store import BillingScope, Waiting
from hourbridge.poster.leakage import note_leakage
from hourbridge.poster.operations import Intent, add_intents
from hourbridge.poster.review.gate import gated

GROUPS_PER_TRANSACTION_MAX = 100
_DRY_RUN_NUMBER = "DRY-RUN"


@dataclass
class BillResult:
    """What a run billed, or would."""

    documents: list[Document] = field(default_factory=list)
    leakage: list[Leakage] = field(default_factory=list)


@dataclass(frozen=True)
class PricedGroup:
    """The charges of one document and what they come to."""

    group: Group
    assembly: Assembly
    offered: FittedSupplements
    """The group's supplements; the group itself has those that there is room for."""
    unrated: tuple[Leakage, ...] = ()
    """Foreign costs that wait for a rate."""

    @property
    def leakage(self) -> list[Leakage]:
        """Return what is not billed, and why."""
        return [*self.offered.leakage, *self.assembly.leakage, *self.unrated]

    @property
    def makes_document(self) -> bool:
        """Return whether there is anything to put on a document."""
        return bool(self.assembly.lines or self.group.supplements)


class Biller:
    """Turns unbilled charges into documents. Safe to run twice, and side by side."""

    def __init__(
        self, store: Store, documents: DocumentStore, clock: Clock, announced: Callable[[], None]
    ) -> None:
        self._store = store
        self._documents = documents
        self._clock = clock
        self._announced = announced

    def bill(self, scope: BillingScope) -> BillResult:
        """Bill everything in ``scope``, a bounded number of groups per transaction."""
        result = BillResult()
        with self._store.transaction() as connection:
            pairs = group_store.open_groups(connection, scope)
        for engagement_key, groups in _portions(pairs):
            with self._store.transaction() as connection:
                self.bill_groups(connection, scope, engagement_key, groups, result)
            fault_point(DOCUMENTS_COMMITTED)
            self._announced()
        return result

    def preview(self, scope: BillingScope) -> BillResult:
        """Return what ``bill`` would do now; changes nothing."""
        result = BillResult()
        with self._store.transaction() as connection:
            for engagement_key, groups in _portions(group_store.open_groups(connection, scope)):
                waiting = group_store.read_waiting(
                    connection, scope, engagement_key, groups, lock=False
                )
                for priced in self._price(connection, scope, engagement_key, waiting):
                    result.leakage += _of_note(priced.leakage)
                    if priced.makes_document:
                        new = build_document(priced.group, priced.assembly, _DRY_RUN_NUMBER)
                        (shown,) = stamp(connection, scope.book, [new])
                        result.documents.append(shown.document)
        return result

    def bill_groups(
        self,
        connection: Connection,
        scope: BillingScope,
        engagement_key: str,
        groups: Sequence[str],
        result: BillResult,
    ) -> None:
        """Bill some groups of one engagement in the caller's transaction."""
        group_store.lock_engagement(connection, scope.book, engagement_key)
        waiting = group_store.read_waiting(connection, scope, engagement_key, groups, lock=True)
        priced = self._price(connection, scope, engagement_key, waiting)
        numbered = self._number(connection, [p for p in priced if p.makes_document])
        documents = stamp(connection, scope.book, gated(connection, scope.book, numbered))
        self._documents.insert(connection, scope.book, documents)
        self._hold_back(connection, scope.book, priced, documents)
        for part in priced:
            attach_covered(connection, self._documents, scope.book, part.assembly.covered)
            note_leakage(connection, part.leakage)
            result.leakage += _of_note(part.leakage)
        final = [d.document for d in documents if d.document.status is DocumentStatus.POSTING]
        intents = [Intent(scope.book, document, "create") for document in final]
        add_intents(connection, intents, self._clock.now())
        result.documents += [new.document for new in documents]
        fault_point(DOCUMENTS_ASSEMBLED)

    def _hold_back(
        self,
        connection: Connection,
        book: str,
        priced: Sequence[PricedGroup],
        documents: Sequence[NewDocument],
    ) -> None:
        """Hold what caps left no room for; forget what became lines."""
        rows = [row for new in documents for row in supplements.held_back(new, book)]
        for part in priced:
            keys = {
                "book": book,
                "engagement_key": part.group.engagement_key,
                "group_key": part.group.group_key,
            }
            rows += [supplements.cut_row(keys, rest) for rest in part.offered.cut]
            supplements.note_held(connection, part.offered.whole)
        supplements.drop(connection, [s.line_id for p in priced for s in p.offered.billed])
        supplements.insert(connection, rows, self._clock.now())

    def _price(
        self, connection: Connection, scope: BillingScope, engagement_key: str, waiting: Waiting
    ) -> list[PricedGroup]:
        configured = known_configuration(connection, scope.book, waiting.mapping_version)
        everything = [charge for charges in waiting.charges.values() for charge in charges]
        keys = {carry_key(c) for c in everything if c.rounding.quantity_decimals is not None}
        residues = group_store.carries(connection, scope.book, keys)
        fees = {key for key in map(fee_key, everything) if key is not None}
        billed = set(group_store.billed_fees(connection, scope.book, fees))
        limits = limits_of(connection, scope.book, engagement_key, configured, waiting.everything())
        priced = []
        rates = BookRates(connection, configured.configuration)
        for whole in _groups(scope, engagement_key, waiting, configured):
            rated = in_client_currency(whole, rates)
            group = rated.group
            offered = fit_supplements(group.supplements, limits)
            assembly = assemble(
                group.charges,
                carries=residues,
                billed_fees=billed,
                versions=waiting.versions,
                limits=offered.limits,
            )
            for line in assembly.lines:
                if line.basis.carry_key:
                    residues[line.basis.carry_key] = line.price.carry_out_seconds
            billed |= {line.fee_key for line in assembly.lines if line.fee_key}
            if limits is not None and assembly.rooms is not None:
                limits = replace(limits, rooms=assembly.rooms)
            fitted = replace(group, supplements=offered.billed)
            priced.append(PricedGroup(fitted, assembly, offered, rated.unrated))
        return priced

    def _number(self, connection: Connection, priced: Sequence[PricedGroup]) -> list[NewDocument]:
        """Build the documents; the counters are locked last, for a short time, in key order."""
        keyed = sorted(priced, key=_counter)
        documents: list[NewDocument] = []
        for (key, prefix), members in groupby(keyed, key=_counter):
            portion = list(members)
            own = self._own_numbers(connection, key, portion)
            count = own.count(None)
            numbers = iter(self._documents.allocate_numbers(connection, key, prefix, count))
            documents += [
                build_document(part.group, part.assembly, number or next(numbers))
                for part, number in zip(portion, own, strict=True)
            ]
        return documents

    def _own_numbers(
        self, connection: Connection, key: str, portion: Sequence[PricedGroup]
    ) -> list[str | None]:
        """Return the numbers that documents bring along; None where ours are to be used.

        A number is used once: what bills the same work again takes one of ours.
        """
        stated = [_own_number(part.group) for part in portion]
        used = self._documents.used_numbers(connection, key, [n for n in stated if n])
        own: list[str | None] = []
        for number in stated:
            own.append(None if number in used else number)
            if number is not None:
                used.add(number)
        return own


def _portions(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    portions = []
    for engagement_key, members in groupby(pairs, key=lambda pair: pair[0]):
        groups = [group for _, group in members]
        for first in range(0, len(groups), GROUPS_PER_TRANSACTION_MAX):
            portions.append((engagement_key, groups[first : first + GROUPS_PER_TRANSACTION_MAX]))
    return portions


def _groups(
    scope: BillingScope, engagement_key: str, waiting: Waiting, configured: Configured
) -> list[Group]:
    """Return the documents-to-be in the order in which they are priced: by period, by group."""
    charges: dict[tuple[str, str], list[Charge]] = {}
    supplements: dict[tuple[str, str], list[HeldSupplement]] = {}
    for group_key, members in waiting.charges.items():
        for charge in members:
            charges.setdefault((_period_start(charge), group_key), []).append(charge)
    for group_key, held in waiting.supplements.items():
        for supplement in held:
            key = (_period_start(supplement.charge), group_key)
            supplements.setdefault(key, []).append(supplement)
    return [
        Group(
            book=scope.book,
            engagement_key=engagement_key,
            group_key=group_key,
            charges=tuple(charges.get((start, group_key), ())),
            supplements=tuple(supplements.get((start, group_key), ())),
            through=scope.through,
            zone=configured.configuration.zone,
            configuration_version=configured.version,
            taxes=configured.configuration.taxes,
            custom_fields=configured.configuration.posting.custom_fields,
            run_id=scope.run_id,
        )
        for start, group_key in sorted(charges.keys() | supplements.keys())
    ]


def _of_note(leakage: Sequence[Leakage]) -> list[Leakage]:
    """Return what is lost by rounding; where no time was to be billed, nothing is lost."""
    return [leaked for leaked in leakage if leaked.seconds]


def _period_start(charge: Charge) -> str:
    period = billing_period(charge.invoicing.grouping, charge.work_date)
    return "" if period is None else str(period.first)


def _own_number(group: Group) -> str | None:
    """Return the number that a document brings along, where all of it is of one such."""
    numbers = {charge.document_number for charge in group.charges}
    return numbers.pop() if len(numbers) == 1 and not group.supplements else None


def _counter(priced: PricedGroup) -> tuple[str, str]:
    group = priced.group
    first = group.charges[0] if group.charges else group.supplements[0].charge
    return ledger_key(first.ledger), first.invoicing.number_prefix
