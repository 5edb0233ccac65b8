"""Bodies of admin requests, refused field by field."""

from __future__ import annotations

from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import Request

from hourbridge.common.messages.registry import reasons_of
from hourbridge.common.runtime.admin import RequestInvalid

BodyT = TypeVar("BodyT", bound=BaseModel)


async def read_body(request: Request, model: type[BodyT], *, advice: str | None = None) -> BodyT:
    """Return the body of a request; an empty one has no fields.

    Raises RequestInvalid that names every wrong field, with ``advice`` on what to do if given.
    """
    raw = await request.body()
    try:
        return model.model_validate_json(raw or b"{}")
    except ValidationError as error:
        reasons = "; ".join(f"{r['field']}: {r['detail']}" for r in reasons_of(error))
        raise RequestInvalid(reasons, advice=advice) from None
