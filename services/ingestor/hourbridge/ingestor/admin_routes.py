"""The admin API: positions, keys, conflicts, records, payloads. Roles are checked per route."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hourbridge.common.clock import Clock, to_text
from hourbridge.common.messages.fields import BookName
from hourbridge.common.runtime.admin import NotFound, RequestInvalid, Role, json_response, require
from hourbridge.common.runtime.requests import json_object
from hourbridge.common.store import audit
from hourbridge.common.store.engine import Store
from hourbridge.common.store.outbox import Outbox
from hourbridge.ingestor import api_keys, conflicts, deciding, payloads, records
from hourbridge.ingestor.announcements import announce
from hourbridge.ingestor.api_keys import Caller

_NAME: TypeAdapter[str] = TypeAdapter(BookName)
_LIMIT_DEFAULT, _LIMIT_MAX = 100, 1000
