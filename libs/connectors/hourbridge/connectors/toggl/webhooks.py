"""Toggl's webhooks: the body signed with HMAC-SHA256, whole objects as payload, one event each."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from hourbridge.common.errors import ConfigurationInvalid, WebhookRefused
from hourbridge.common.exact_json import dumps
from hourbridge.connectors.json_rows import RowReader, instant_of, parse, unusable
from hourbridge.connectors.source import Statement
from hourbridge.connectors.toggl.mapping import KINDS, Seen, statement
from hourbridge.connectors.toggl.settings import TogglSettings
from hourbridge.connectors.webhooks import Delivery, Hint, Pushed

SIGNATURE_HEADER = "x-webhook-signature-256"
_PREFIX = "sha256="
_EVENT_ID_CHARACTERS_MAX = 200
_CODE_CHARACTERS_MAX = 1024
_HINTS = {"project_user": "projects", "project_group": "projects", "group": "staff"}
"""Models that are no records of ours, and the feeds in which their effects show."""
_UNCONCERNED = frozenset({"workspace", "organization", "workspace_group"})
_ACTIONS = frozenset({"created", "updated", "deleted"})


class TogglReceiver:
    """Understands the deliveries of one workspace's subscriptions. Pure: makes no call."""

    def __init__(self, secrets: Sequence[str], settings: TogglSettings, workspace_id: str) -> None:
        """``secrets``: any of them may have signed; two while one is being replaced."""
        if not secrets or not all(secrets):
            raise ConfigurationInvalid(
                "the Toggl connection has no webhook secret",
                advice="Connect it again with the secret `webhook_secret` of the subscription.",
            )
        self._secrets = [secret.encode() for secret in secrets]
        self._settings = settings
        self._workspace_id = workspace_id

    def receive(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """Return what a delivery says; see ``WebhookReceiver.receive``."""
        self._verify(headers.get(SIGNATURE_HEADER), body)
        try:
            event = parse(body)
        except ValueError as error:
            return _kept(body, "(body)", "not_json", f"not JSON: {error}")
        if not isinstance(event, Mapping):
            return _kept(body, "(body)", "not_an_object", "an event is one JSON object")
        code = event.get("validation_code")
        answer = b""
        if isinstance(code, str) and 0 < len(code) <= _CODE_CHARACTERS_MAX:
            answer = dumps({"validation_code": code}).encode("utf-8", "replace")
        if event.get("payload") == "ping" or (answer and "metadata" not in event):
            return Delivery((), answer or b"{}")
        return Delivery((self._event(event, body),), answer)

    def _verify(self, given: str | None, body: bytes) -> None:
        if given is None:
            raise WebhookRefused(f"the header {SIGNATURE_HEADER} is missing")
        stated = given.strip().lower().removeprefix(_PREFIX).encode("utf-8", "replace")
        for secret in self._secrets:
            expected = hmac.new(secret, body, hashlib.sha256).hexdigest().encode()
            if hmac.compare_digest(stated, expected):
                return
        raise WebhookRefused("the signature is not that of the body with this source's secret")

    def _event(self, event: Mapping[str, Any], body: bytes) -> Pushed:
        event_id = _event_id(event, body)
        metadata = event.get("metadata")
        said = RowReader(metadata if isinstance(metadata, Mapping) else {})
        model, action = said.text("model"), said.text("action")
        account = said.identifier("workspace_id")
        if model in _HINTS or model in _UNCONCERNED:
            return Pushed(event_id, account, hint=_hint(model, action, event))
        return Pushed(event_id, account, self._statement(event, model, action, account, body))

    def _statement(
        self,
        event: Mapping[str, Any],
        model: str | None,
        action: str | None,
        account: str | None,
        body: bytes,
    ) -> Statement:
        if account is not None and account != self._workspace_id:
            detail = f"the event is of workspace {account}, the source of {self._workspace_id}"
            return unusable(body, "event", "metadata.workspace_id", "account_mismatch", detail)
        if model not in KINDS:
            detail = f"{model!r} is no model that this version knows"
            return unusable(body, "event", "metadata.model", "model_unknown", detail)
        if action not in _ACTIONS:
            detail = f"{action!r} is neither created nor updated nor deleted"
            return unusable(body, "event", "metadata.action", "action_unknown", detail)
        made_at = instant_of(event.get("created_at")) or instant_of(event.get("timestamp"))
        seen = Seen(made_at, is_polled=False, is_deleted=action == "deleted")
        return statement(
            model, event.get("payload"), self._settings, seen=seen, raw=body, location="payload"
        )


def _hint(model: str, action: str | None, event: Mapping[str, Any]) -> Hint | None:
    feed = _HINTS.get(model)
    if feed is None:
        return None
    payload = event.get("payload")
    identity = payload.get("id") if isinstance(payload, Mapping) else None
    return Hint(
        feed, entity=model, entity_id=None if identity is None else str(identity)[:255], what=action
    )


def _event_id(event: Mapping[str, Any], body: bytes) -> str:
    """Return the event's id; one without is the same event exactly when its body is."""
    stated = RowReader(event).identifier("event_id")
    if stated is None or len(stated) > _EVENT_ID_CHARACTERS_MAX:
        return f"sha256:{hashlib.sha256(body).hexdigest()}"
    return stated


def _kept(body: bytes, name: str, code: str, detail: str) -> Delivery:
    event_id = f"sha256:{hashlib.sha256(body).hexdigest()}"
    return Delivery((Pushed(event_id, statement=unusable(body, "body", name, code, detail)),))
