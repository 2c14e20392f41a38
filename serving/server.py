"""Runs the application: uvicorn, with what it lacks against slow and endless heads."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from pathlib import Path
from typing import Any, NamedTuple

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mltox.base.errors import UserError
from serving.body import CLIENT_SECONDS

log = logging.getLogger(__name__)

MAX_HEAD = 64 * 1024
KEEP_ALIVE_SECONDS = 30
DRAIN_SECONDS = 8
"""For requests that are under way when the server is told to stop. Cloud Run gives ten."""
BACKLOG = 2_048

_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class ServerError(UserError):
    """The server cannot be had; the message is one line for a person."""


class Address(NamedTuple):
    host: str
    port: int
    tls_cert: Path | None = None
    tls_key: Path | None = None
    proxies: str | None = None
    """Addresses whose X-Forwarded-Proto is believed, comma-separated."""


class PatientProtocol(HttpToolsProtocol):
    """Closes a connection whose head takes too long, or is too long."""

    head_seconds = CLIENT_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_bytes = 0
        self._reading_head = True
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._reading_head:
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD and not self.transport.is_closing():
            self.send_400_response("")

    def send_400_response(self, msg: str) -> None:
        if self._head_bytes > MAX_HEAD:
            self.transport.write(_TOO_LARGE)
            self.transport.close()
        else:
            super().send_400_response(msg)

    def on_message_begin(self) -> None:
        self._head_bytes = 0
        self._reading_head = True
        if self._head_timer is None:
            self._start_timer()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head_bytes = len(self.url) + sum(len(name) + len(text) for name, text in self.headers)
        if self._head_bytes > MAX_HEAD:
            raise ValueError("the head is too large")  # ends as a refusal of the parser
        self._reading_head = False
        self._stop_timer()
        super().on_headers_complete()

    def _start_timer(self) -> None:
        self._head_timer = self.loop.call_later(self.head_seconds, self._too_slow)

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _too_slow(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.close()


def run(app: ASGIApp, address: Address, client_seconds: float = CLIENT_SECONDS) -> None:
    """Serves until a signal to stop; then answers what is under way. A client has `client_seconds`
    for the head of a request. Raises ServerError where the address or the certificate cannot be
    had."""
    listener = _listen(address)
    config = uvicorn.Config(
        app,
        http=type("Protocol", (PatientProtocol,), {"head_seconds": client_seconds}),
        ws="none",
        access_log=False,
        log_config=None,
        log_level=logging.WARNING,
        server_header=False,
        date_header=True,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
        proxy_headers=address.proxies is not None,
        forwarded_allow_ips=address.proxies,
        ssl_certfile=address.tls_cert,
        ssl_keyfile=address.tls_key,
    )
    try:
        config.load()
    except (ssl.SSLError, OSError) as error:
        raise ServerError(f"cannot use {address.tls_cert} and its key: {error}") from None
    host, port = listener.getsockname()[:2]
    scheme = "https" if address.tls_cert else "http"
    log.info("serving at %s://%s:%s", scheme, f"[{host}]" if ":" in host else host, port)
    uvicorn.Server(config).run([listener])


def _listen(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server((address.host, address.port), family=family, backlog=BACKLOG)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ServerError(f"cannot serve at {address.host}:{address.port}: {reason}") from None
