"""Answering a company's calls: gate, memory, operation, log; all under the world's lock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hourbridge.common.exact_json import dumps
from hourbridge.common.ids import random_id
from hourbridge.sandbox.quickbooks_online import attachments, operations
from hourbridge.sandbox.quickbooks_online.audit import Exchange
from hourbridge.sandbox.quickbooks_online.batches import Batch
from hourbridge.sandbox.quickbooks_online.calls import Answer, Call, json_object
from hourbridge.sandbox.quickbooks_online.change_capture import changes
from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.files import FILE_RESOURCES, file_answer
from hourbridge.sandbox.quickbooks_online.kinds import BY_RESOURCE, INVOICE, SALES, Kind
from hourbridge.sandbox.quickbooks_online.query_language import parse
from hourbridge.sandbox.quickbooks_online.query_run import run
from hourbridge.sandbox.quickbooks_online.refusals import (
    Refusal,
    authentication_body,
    missing_parameter,
    not_authorized,
    throttled,
    unsupported,
    wrong_length,
)
from hourbridge.sandbox.quickbooks_online.singular import SINGULAR, singular
from hourbridge.sandbox.quickbooks_online.world import World
from hourbridge.sandbox.quickbooks_online.xml_form import xml_of

_REQUEST_ID_LIMIT = 50


class Service:
    """Carries out calls on a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def answer(self, call: Call, exchange: Exchange) -> Answer:
        """Return the answer to one call and record what it did in ``exchange``."""
        exchange.realm, exchange.request_id = call.realm, call.request_id
        with self._world.lock:
            refused = self._gate(call, exchange)
            if refused is not None:
                return refused
            try:
                return self._carry_out(call, exchange)
            except Refusal as refusal:
                return self.refuse(refusal, exchange)

    def refuse(self, refusal: Refusal, exchange: Exchange) -> Answer:
        """Return the fault for a refusal and record it."""
        exchange.outcome, exchange.code = "refused", refusal.code
        exchange.status = refusal.status
        text = dumps(refusal.body(self._world.clock.envelope_time()))
        return Answer(refusal.status, text.encode(), headers=_identification())

    def _gate(self, call: Call, exchange: Exchange) -> Answer | None:
        settings = self._world.settings
        if not _asks_for_json(call) and not (settings.answers_xml or _is_file(call)):
            exchange.outcome, exchange.status = "refused", 406
            text = b"Only JSON is served here: send the header Accept: application/json"
            return Answer(406, text, "text/plain")
        scheme, _, token = call.headers.get("authorization", "").partition(" ")
        access = self._world.tokens.access_of(token) if scheme == "Bearer" else None
        if access is None or access.expires_at <= self._world.clock.now():
            exchange.outcome, exchange.status, exchange.code = "unauthorized", 401, "3200"
            return self._unauthenticated(token)
        if access.realm != call.realm or call.realm not in self._world.companies:
            return self.refuse(not_authorized(), exchange)
        if not self._world.throttle.admits(call.realm):
            answer = self.refuse(throttled(), exchange)
            exchange.outcome = "throttled"
            return answer
        return None

    def _unauthenticated(self, token: str) -> Answer:
        milliseconds = int(self._world.clock.now().timestamp()) * 1000
        body = authentication_body(f"Token expired: {token[:3]}...", milliseconds)
        headers = {"www-authenticate": 'Bearer realm="Intuit", error="invalid_token"'}
        return Answer(401, dumps(body).encode(), headers=headers | _identification())

    def _carry_out(self, call: Call, exchange: Exchange) -> Answer:
        key = call.request_id if call.is_write else None
        if key is not None and len(key) > _REQUEST_ID_LIMIT:
            raise wrong_length("requestid", _REQUEST_ID_LIMIT, len(key))
        if key is not None:
            remembered = self._world.memory.recall(call.realm, key)
            if remembered is not None:
                exchange.outcome, exchange.status = "replayed", 200
                return Answer(200, remembered, headers=_identification())
        company = self._world.companies[call.realm]
        if _is_file(call):
            exchange.outcome, exchange.status = "executed", 200
            answer = file_answer(company, call)
            return replace(answer, headers={**answer.headers, **_identification()})
        content = self._dispatch(call, company, exchange)
        content["time"] = self._world.clock.envelope_time()
        body = dumps(content).encode()
        if key is not None:
            self._world.memory.remember(call.realm, key, body)
        exchange.outcome, exchange.status = "executed", 200
        if not _asks_for_json(call):
            return Answer(200, xml_of(content), "application/xml", _identification())
        return Answer(200, body, headers=_identification())

    def _dispatch(self, call: Call, company: Company, exchange: Exchange) -> dict[str, Any]:
        forced = self._world.refusals.draw(
            "writes" if call.is_write else "reads", call.resource, call.realm
        )
        if forced is not None:
            raise forced
        if call.resource in _WITHOUT_EFFECT:
            return _WITHOUT_EFFECT[call.resource](company, call)
        if call.resource == "batch" and call.method == "POST":
            return self._batch(call, company, exchange)
        if not call.is_entity:
            raise unsupported(call.resource)
        if call.method == "GET" and len(call.path) == 2:
            kind = BY_RESOURCE[call.resource]
            return {kind.name: operations.read(company, kind, call.path[1])}
        if call.method == "POST":
            return self._write(call, company, exchange)
        raise unsupported(f"{call.method} {call.resource}")

    def _batch(self, call: Call, company: Company, exchange: Exchange) -> dict[str, Any]:
        exchange.action = "batch"

        def log(effect: operations.Effect, key: str | None) -> None:
            opened_at = self._world.clock.stamp()
            item = self._world.audit.open("POST", "batch item", opened_at)
            item.realm, item.request_id = company.realm, key
            item.outcome, item.status = "executed", 200
            self._log_effect(company, effect, item)

        return Batch(self._world, company, call.request_id, log).carry_out(json_object(call))

    def _write(self, call: Call, company: Company, exchange: Exchange) -> dict[str, Any]:
        kind = BY_RESOURCE[call.resource]
        operation = call.parameters.get("operation")
        if call.path[2:] == ("send",) and kind in SALES:
            address = call.parameters.get("sendTo")
            if not (address or operations.read(company, kind, call.path[1]).get("BillEmail")):
                raise missing_parameter("BillEmail")
            effect = send(company, call.path[1], kind, address)
        elif len(call.path) != 1:
            raise unsupported("/".join(call.path))
        elif operation == "delete":
            effect = operations.delete(company, kind, json_object(call))
        elif operation == "void" or _is_void_update(call):
            paid_too = self._world.settings.void_paid_invoices
            effect = operations.void(company, kind, json_object(call), paid_too=paid_too)
        else:
            options = call.parameters.get("include", "").lower().split(",")
            effect = operations.save(company, kind, json_object(call), options)
        self._log_effect(company, effect, exchange)
        return {kind.name: effect.entity}

    def _log_effect(self, company: Company, effect: operations.Effect, exchange: Exchange) -> None:
        number = effect.entity.get("DocNumber")
        exchange.action, exchange.kind = effect.action, effect.kind.name
        exchange.id, exchange.number = effect.entity["Id"], number
        if effect.action == "create" and effect.kind.is_transaction:
            self._world.audit.note_create(
                company.realm, effect.kind.name, number, effect.entity["Id"]
            )


def send(
    company: Company, identity: str, kind: Kind = INVOICE, to: str | None = None
) -> operations.Effect:
    """Mark a sales form as e-mailed, which gives it a new SyncToken."""
    document = operations.read(company, kind, identity)
    address = {"BillEmail": {"Address": to}} if to else {}
    delivery = {"DeliveryType": "Email", "DeliveryTime": company.clock.stamp()}
    sent = {"EmailStatus": "EmailSent", "DeliveryInfo": delivery, **address}
    stored = company.get(kind, identity) or document
    entity = company.put(kind, {**stored, **sent}, identity=identity, operation="Emailed")
    return operations.Effect("send", kind, operations.shown(company, kind, entity))


def _query(company: Company, call: Call) -> dict[str, Any]:
    return {"QueryResponse": run(company, parse(_query_text(call)))}


def _changes(company: Company, call: Call) -> dict[str, Any]:
    names = {name.lower(): value for name, value in call.parameters.items()}
    return changes(company, names.get("entities"), names.get("changedsince"))


def _upload(company: Company, call: Call) -> dict[str, Any]:
    return attachments.upload(company, call.headers.get("content-type", ""), call.body)


def _singular(company: Company, call: Call) -> dict[str, Any]:
    return singular(call, company)


_WITHOUT_EFFECT: dict[str, Callable[[Company, Call], dict[str, Any]]] = {
    **dict.fromkeys(SINGULAR, _singular),
    "query": _query,
    "cdc": _changes,
    "upload": _upload,
}
"""Resources that are no entities, or whose effect the log doesn't number."""


def _is_void_update(call: Call) -> bool:
    """Return whether an update is meant as a void: payments are voided this way."""
    is_update = call.parameters.get("operation") == "update"
    return is_update and call.parameters.get("include") == "void"


def _asks_for_json(call: Call) -> bool:
    return "application/json" in call.headers.get("accept", "")


def _is_file(call: Call) -> bool:
    """Return whether the answer is a file or an address, not an object."""
    is_form = len(call.path) == 3 and call.path[2] == "pdf"
    return call.method == "GET" and (is_form or call.resource in FILE_RESOURCES)


def _query_text(call: Call) -> str:
    if call.method == "GET":
        return call.parameters.get("query", "")
    try:
        return call.body.decode("utf-8")
    except UnicodeDecodeError:
        raise Refusal("500", "Unsupported Operation", "The query is not UTF-8") from None


def _identification() -> dict[str, str]:
    return {"intuit_tid": f"1-{random_id()}", "QBO-Version": "sandbox"}
