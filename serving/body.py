"""Reading a request's body, bounded in size and time."""

from __future__ import annotations

import asyncio

from starlette.requests import Request

from serving.contract import errors

CLIENT_SECONDS = 10.0
"""How long a client may take to send the head of a request, and its body."""
MAX_CALL = 1024 * 1024
"""Bytes of one call: 20,480 bytes of text are at most 122,880 as JSON; contexts may be longer."""
MAX_BATCH_BYTES = 16 * 1024 * 1024
"""Bytes of a batch. HELM sends 25 texts, each a second time in the name of its part."""


async def read_body(request: Request, limit: int, seconds: float) -> bytes:
    """Raises Refusal: too large, too slow, encoded; Starlette's
    ClientDisconnect where the client has gone."""
    if request.headers.get("content-encoding", "identity") != "identity":
        raise errors.encoded_body()
    try:
        if int(request.headers.get("content-length", "0")) > limit:
            raise errors.body_too_large(limit)
    except ValueError:
        raise errors.invalid_payload("Content-Length is no number.") from None
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            async for part in request.stream():
                size += len(part)
                if size > limit:
                    raise errors.body_too_large(limit)
                parts.append(part)
    except TimeoutError:
        raise errors.too_slow(seconds) from None
    return b"".join(parts)
