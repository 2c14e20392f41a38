"""The service over HTTP."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from serving.body import CLIENT_SECONDS, MAX_BATCH_BYTES, MAX_CALL, read_body
from serving.contract import errors
from serving.contract.documents import VERSION, discovery, openapi
from serving.keys import given_key
from serving.multipart import read_batch, write_batch
from serving.service import JSON_TYPE, METHODS, Answer, Call, ContractService, refused

log = logging.getLogger(__name__)

Handler = Callable[[Request], Awaitable[Response]]
PARTS_AT_ONCE = 32
BATCHES_AT_ONCE = 4
"""Batches that are read or answered at a time; more are refused, since each may hold 16 MiB."""
REQUESTS_AT_ONCE = 1_024


def build(
    service: ContractService,
    *,
    public_url: str | None = None,
    origins: Sequence[str] = (),
    client_seconds: float = CLIENT_SECONDS,
) -> Starlette:
    """The ASGI application.

    `public_url` is where clients reach it (default: the name that each asked for), `origins` the
    web pages that may call it (`*`: all), `client_seconds` how long a client may take to send a
    body.
    """
    pages = _Pages(service, public_url)
    calls = _Calls(service, client_seconds)
    routes = [
        *(
            Route(path, _guarded(calls.endpoint(method)), methods=["POST"])
            for path, method in METHODS.items()
        ),
        Route("/batch", _guarded(calls.batch), methods=["POST"]),
        Route("/batch/{rest:path}", _guarded(calls.batch), methods=["POST"]),
        Route("/$discovery/rest", _guarded(pages.discovery)),
        Route("/openapi.json", _guarded(pages.openapi)),
        Route("/healthz", _guarded(pages.health)),
        Route("/metrics", _guarded(pages.metrics)),
    ]
    cors = Middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_methods=["GET", "POST"],
        allow_headers=["*"],
    )

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        service.texts.close()

    return Starlette(
        routes=routes,
        middleware=[cors] if origins else [],
        exception_handlers={404: _no_route, 405: _no_method},
        lifespan=lifespan,
    )


class _Calls:
    """The methods of the contract, alone and in batches."""

    def __init__(self, service: ContractService, client_seconds: float) -> None:
        self._service = service
        self._seconds = client_seconds
        self._running = self._batches = 0

    def endpoint(self, method: str) -> Handler:
        async def call(request: Request) -> Response:
            if self._running >= REQUESTS_AT_ONCE:
                raise errors.too_many("requests at once")
            self._count(1)
            try:
                with self._service.texts.arrival() as arrived:
                    body = await read_body(request, MAX_CALL, self._seconds)
                    self._service.check_room()
                    made = Call(method, request.query_params, request.headers, body)
                    return _response(await self._service.answer(made, arrived))
            finally:
                self._count(-1)

        return call

    def _count(self, change: int) -> None:
        self._running += change
        self._service.metrics.open(self._running)

    async def batch(self, request: Request) -> Response:
        if self._batches >= BATCHES_AT_ONCE:
            raise errors.too_many("batches at once")
        self._batches += 1
        try:
            body = await read_body(request, MAX_BATCH_BYTES, self._seconds)
            self._service.check_room()
            kind = request.headers.get("content-type", "")
            parts = await asyncio.to_thread(read_batch, kind, body)
            turns = asyncio.Semaphore(PARTS_AT_ONCE)

            async def answer(call: Call | errors.Refusal) -> Answer:
                if isinstance(call, errors.Refusal):
                    return refused(call)
                async with turns:
                    return await self._service.answer(_with_outer(call, request))

            answers = await asyncio.gather(*(answer(part.call) for part in parts))
            ids = (part.content_id for part in parts)
            content_type, content = write_batch(list(zip(ids, answers, strict=True)))
            return Response(content, headers={"content-type": content_type})
        finally:
            self._batches -= 1


class _Pages:
    """What the server says of itself."""

    def __init__(self, service: ContractService, public_url: str | None) -> None:
        self._service = service
        self._public_url = public_url

    async def discovery(self, request: Request) -> Response:
        call = Call("discovery", request.query_params, request.headers, b"")
        self._service.authorise(call, needed=False)
        if call.query.get("version", VERSION) != VERSION:
            raise errors.not_found()
        return _json(discovery(self._root(request)))

    async def openapi(self, request: Request) -> Response:
        engine = self._service.engine
        names = self._service.attributes.names
        return _json(openapi(self._root(request), names, engine.languages))

    async def health(self, request: Request) -> Response:
        engine = self._service.engine
        versions = {
            name: str(self._service.attributes.version(name))
            for name in self._service.attributes.names
        }
        return _json(
            {
                "status": "ok",
                "model": engine.model,
                "languages": list(engine.languages),
                "attributes": versions,
            }
        )

    async def metrics(self, request: Request) -> Response:
        return Response(self._service.metrics.page(), media_type="text/plain; version=0.0.4")

    def _root(self, request: Request) -> str:
        return f"{(self._public_url or str(request.base_url)).rstrip('/')}/"


def _with_outer(call: Call, request: Request) -> Call:
    """A call of a batch, with the key of the batch's own head where it has none."""
    if given_key(call.query, call.headers):
        return call
    key = given_key(request.query_params, request.headers)
    return call._replace(query={**call.query, "key": key}) if key else call


def _guarded(handler: Handler) -> Handler:
    """Refusals become answers, and what should not happen is logged without what was sent."""

    async def endpoint(request: Request) -> Response:
        try:
            return await handler(request)
        except errors.Refusal as refusal:
            return _response(refused(refusal))
        except ClientDisconnect:
            return Response(status_code=400)
        except Exception as error:
            frames = " < ".join(
                f"{frame.name}:{frame.lineno}"
                for frame in reversed(traceback.extract_tb(error.__traceback__))
            )
            log.error("a request failed: %s at %s", type(error).__name__, frames)
            return _response(refused(errors.internal()))

    return endpoint


async def _no_route(request: Request, error: Exception) -> Response:
    return _response(refused(errors.not_found()))


async def _no_method(request: Request, error: Exception) -> Response:
    headers = cast(HTTPException, error).headers or {}
    allowed = headers.get("Allow", "POST").split(", ")
    return _response(refused(errors.wrong_method(sorted(allowed))))


def _response(answer: Answer) -> Response:
    headers = {"content-type": JSON_TYPE, "cache-control": "no-store"}
    return Response(answer.body, answer.code, headers={**headers, **answer.headers})


def _json(content: Any) -> Response:
    return _response(Answer(200, orjson.dumps(content)))
