"""Answering a company's calls: gate, memory, operation, log; all under the world's lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hourbridge.common.exact_json import dumps, loads
from hourbridge.common.ids import random_id
from hourbridge.sandbox.quickbooks_online import attachments, operations
from hourbridge.sandbox.quickbooks_online.audit import Exchange
from hourbridge.sandbox.quickbooks_online.calls import Answer, Call
from hourbridge.sandbox.quickbooks_online.company import Company
from hourbridge.sandbox.quickbooks_online.kinds import BY_RESOURCE, INVOICE
from hourbridge.sandbox.quickbooks_online.query_language import parse
from hourbridge.sandbox.quickbooks_online.query_run import run
from hourbridge.sandbox.quickbooks_online.refusals import (
    Refusal,
    authentication_body,
    malformed,
    not_authorized,
    throttled,
    unsupported,
    wrong_length,
)
from hourbridge.sandbox.quickbooks_online.transactions import EXCHANGE_ACCOUNT
from hourbridge.sandbox.quickbooks_online.world import World

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
        if "application/json" not in call.headers.get("accept", ""):
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
        content = self._dispatch(call, self._world.companies[call.realm], exchange)
        content["time"] = self._world.clock.envelope_time()
        body = dumps(content).encode()
        if key is not None:
            self._world.memory.remember(call.realm, key, body)
        exchange.outcome, exchange.status = "executed", 200
        return Answer(200, body, headers=_identification())

    def _dispatch(self, call: Call, company: Company, exchange: Exchange) -> dict[str, Any]:
        if call.resource in _SINGLETONS and call.method == "GET":
            return _SINGLETONS[call.resource](company)
        if call.resource == "query":
            return {"QueryResponse": run(company, parse(_query_text(call)))}
        if call.resource == "upload" and call.method == "POST":
            return attachments.upload(company, call.headers.get("content-type", ""), call.body)
        if not call.is_entity:
            raise unsupported(call.resource)
        if call.method == "GET" and len(call.path) == 2:
            kind = BY_RESOURCE[call.resource]
            return {kind.name: operations.read(company, kind, call.path[1])}
        if call.method == "POST":
            return self._write(call, company, exchange)
        raise unsupported(f"{call.method} {call.resource}")

    def _write(self, call: Call, company: Company, exchange: Exchange) -> dict[str, Any]:
        kind = BY_RESOURCE[call.resource]
        operation = call.parameters.get("operation")
        if call.path[2:] == ("send",) and kind is INVOICE:
            effect = send(company, call.path[1])
        elif len(call.path) != 1:
            raise unsupported("/".join(call.path))
        elif operation == "delete":
            effect = operations.delete(company, kind, _json_object(call))
        elif operation == "void":
            paid_too = self._world.settings.void_paid_invoices
            effect = operations.void(company, kind, _json_object(call), paid_too=paid_too)
        else:
            options = call.parameters.get("include", "").lower().split(",")
            effect = operations.save(company, kind, _json_object(call), options)
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


def send(company: Company, identity: str) -> operations.Effect:
    """Mark an invoice as e-mailed, which gives it a new SyncToken."""
    invoice = operations.read(company, INVOICE, identity)
    delivery = {"DeliveryType": "Email", "DeliveryTime": company.clock.stamp()}
    sent = {"EmailStatus": "EmailSent", "DeliveryInfo": delivery}
    entity = company.put(INVOICE, {**invoice, **sent}, identity=identity)
    return operations.Effect("send", INVOICE, entity)


def _company_info(company: Company) -> dict[str, Any]:
    fixed = {"Id": "1", "SyncToken": "0", "domain": "QBO", "sparse": False}
    return {"CompanyInfo": company.info | fixed}


def _preferences(company: Company) -> dict[str, Any]:
    shown = dict(company.preferences)
    if company.arithmetic.line_base_amounts:
        account = company.account_named(EXCHANGE_ACCOUNT)
        converted: dict[str, Any] = {"LineBaseAmounts": True}
        if account is not None:
            converted["ExchangeAccountRef"] = {"value": account["Id"]}
        shown["CurrencyPrefs"] = {**shown["CurrencyPrefs"], **converted}
    return {"Preferences": shown}


_SINGLETONS: dict[str, Callable[[Company], dict[str, Any]]] = {
    "companyinfo": _company_info,
    "preferences": _preferences,
}


def _query_text(call: Call) -> str:
    if call.method == "GET":
        return call.parameters.get("query", "")
    try:
        return call.body.decode("utf-8")
    except UnicodeDecodeError:
        raise Refusal("500", "Unsupported Operation", "The query is not UTF-8") from None


def _json_object(call: Call) -> dict[str, Any]:
    try:
        body = loads(call.body)
    except ValueError as error:
        raise malformed(str(error)) from None
    if not isinstance(body, dict):
        raise malformed("The body is not an object")
    return body


def _identification() -> dict[str, str]:
    return {"intuit_tid": f"1-{random_id()}", "QBO-Version": "sandbox"}
