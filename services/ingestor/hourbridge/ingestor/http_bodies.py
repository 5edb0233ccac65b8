"""Request bodies and parameters: read with limits, refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from hourbridge.common.errors import PayloadTooLarge
from hourbridge.common.messages.fields import BookName
from hourbridge.common.runtime.admin import RequestInvalid

ModelT = TypeVar("ModelT", bound=BaseModel)
_NAME: TypeAdapter[str] = TypeAdapter(BookName)
_LIMIT_DEFAULT, _LIMIT_MAX = 100, 1000
_SMALL_BYTES_MAX = 64 * 1024


async def read_limited(request: Request, bytes_max: int) -> bytes | None:
    """Return the body, None as soon as it exceeds ``bytes_max``."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > bytes_max:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


async def save_body(request: Request, target: Path, bytes_max: int) -> None:
    """Write the body to ``target``; raise PayloadTooLarge as soon as it exceeds ``bytes_max``."""
    size = 0
    with target.open("wb") as stream:
        async for chunk in request.stream():
            size += len(chunk)
            if size > bytes_max:
                raise PayloadTooLarge(f"more than {bytes_max} bytes")
            await run_in_threadpool(stream.write, chunk)


async def read_model(request: Request, model: type[ModelT]) -> ModelT:
    """Return the JSON body as ``model``; an empty body stands for an empty object."""
    body = await read_limited(request, _SMALL_BYTES_MAX)
    if body is None:
        raise PayloadTooLarge(f"more than {_SMALL_BYTES_MAX} bytes")
    return validated(model, body or b"{}")


def validated(model: type[ModelT], content: bytes | dict[str, str]) -> ModelT:
    """Return ``content`` as ``model``; raise RequestInvalid naming the first wrong field."""
    try:
        if isinstance(content, bytes):
            return model.model_validate_json(content)
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or "(request)"
        raise RequestInvalid(f"{field}: {first['msg']}") from None


def name_in_path(request: Request, parameter: str) -> str:
    """Return a book's or source's name from the path; raise RequestInvalid if it is none."""
    try:
        return _NAME.validate_python(request.path_params[parameter])
    except ValidationError:
        raise RequestInvalid(f"{parameter}: not a name such as acme-toggl") from None


def limit_of(request: Request) -> int:
    """Return the ``limit`` parameter, within bounds."""
    given = request.query_params.get("limit", str(_LIMIT_DEFAULT))
    if not given.isascii() or not given.isdigit() or not 1 <= int(given) <= _LIMIT_MAX:
        raise RequestInvalid(f"limit: must be a whole number from 1 to {_LIMIT_MAX}")
    return int(given)
