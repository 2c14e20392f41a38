"""The live page over HTTP, for readers on this machine.

`/` is the page, `/parts` the page without its scripts, `/status` tells whether there is a newer
one; `/topic`, `/span` and `/search` answer in JSON (`dashboards.api`). There is no password: by
default only this machine reaches the server, and a request under
another host's name is refused, for that would be a foreign site that made its name point here.
"""

from __future__ import annotations

import json
import logging
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from dashboards.api import ANSWERS, BadRequest, NotFound
from dashboards.errors import DashboardError
from dashboards.live import LastPage, NewestPage
from dashboards.opened import Json
from dashboards.page import ASSETS, LivePage
from dashboards.rendering import fill, markup
from mltox.base.errors import UserError
from mltox.posts.records import Micros

AskApi = Callable[[str, Mapping[str, str], Micros], Json]

log = logging.getLogger(__name__)

HERE = "127.0.0.1"
LOOPBACK = frozenset({HERE, "localhost", "::1"})
_HOST = re.compile(r"(?:\[(?P<ipv6>[0-9a-f:.]+)\]|(?P<name>[^\[\]:]*))(?::[0-9]*)?", re.IGNORECASE)
NOTICE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none';"
    " form-action 'none'"
)
NOT_YET = "The page cannot be shown yet"
RELOAD_SOON = '<meta http-equiv="refresh" content="3">'


@contextmanager
def serving_page(
    render: Callable[[Micros], LivePage],
    address: tuple[str, int],
    stamp: Callable[[], Hashable],
    ask: AskApi | None = None,
) -> Iterator[str]:
    """Serves the page from threads of this process, and yields where it is: `http://host:port/`.

    `render(now)` makes it, again when `stamp()` has changed; both are called from one thread at a
    time. `ask(path, parameters, now)` answers what the page's script asks for, from any thread.
    Port 0 takes a free one. Raises DashboardError where the address cannot be had.
    """
    host, port = address
    newest = NewestPage(render, stamp)
    try:
        server = _server_of(host)((host, port), partial(_Handler, newest, ask, host in LOOPBACK))
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DashboardError(f"cannot serve at {in_url(host)}:{port}: {reason.lower()}") from error
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    try:
        yield f"http://{in_url(host)}:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    # Reopens a port at once after Ctrl-C; never waits for a reader that is slow.
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader who leaves in the middle of an answer is no news."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            log.exception("a request of %s failed", client_address)


class _ServerOfIPv6(_Server):
    address_family = socket.AF_INET6


def _server_of(host: str) -> type[_Server]:
    return _ServerOfIPv6 if ":" in host else _Server


def in_url(host: str) -> str:
    """A host as an address has it: `::1` in brackets."""
    return f"[{host}]" if ":" in host else host


class _Handler(BaseHTTPRequestHandler):
    timeout = 30

    def __init__(self, newest: NewestPage, ask: AskApi | None, only_here: bool, *args: Any) -> None:
        self._newest = newest
        self._ask = ask
        self._only_here = only_here
        super().__init__(*args)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if self._only_here and not self._is_ours():
            self._notice(HTTPStatus.MISDIRECTED_REQUEST, "Not here", "This page has another name.")
        elif path == "/status":
            self._send(HTTPStatus.OK, "application/json", status(self._newest.look()))
        elif path in ANSWERS and self._ask is not None:
            self._answer(self._ask, path)
        elif path in {"/", "/parts"}:
            self._page(self._newest.look(), parts=path == "/parts")
        else:
            self._notice(HTTPStatus.NOT_FOUND, "There is no such page", "The page is at /.")

    do_HEAD = do_GET

    def _is_ours(self) -> bool:
        host = _HOST.fullmatch(self.headers.get("Host", HERE))
        return host is not None and (host["ipv6"] or host["name"]).lower() in LOOPBACK

    def _answer(self, ask: AskApi, path: str) -> None:
        status = HTTPStatus.OK
        try:
            asked = dict(parse_qsl(self.path.partition("?")[2], keep_blank_values=True))
            found = ask(path, asked, time.time_ns() // 1000)
        except NotFound as error:
            status, found = HTTPStatus.NOT_FOUND, {"problem": str(error)}
        except (BadRequest, ValueError) as error:
            status, found = HTTPStatus.BAD_REQUEST, {"problem": str(error)}
        except UserError as error:
            status, found = HTTPStatus.SERVICE_UNAVAILABLE, {"problem": str(error)}
        except Exception:
            log.exception("%s could not be answered", path)
            status = HTTPStatus.INTERNAL_SERVER_ERROR
            found = {"problem": "the log of the server says why"}
        # No lone surrogate of a text can stand in JSON otherwise.
        self._send(status, "application/json", json.dumps(found))

    def _page(self, shown: LastPage, *, parts: bool) -> None:
        if shown.page is None:
            text = f"{shown.problem or 'It is being made'}."
            hint = "This page looks again by itself every few seconds."
            self._notice(HTTPStatus.SERVICE_UNAVAILABLE, NOT_YET, text, hint, RELOAD_SOON)
            return
        html = shown.page.parts if parts else shown.page.html
        self._send(HTTPStatus.OK, "text/html; charset=utf-8", html, shown.page.policy)

    def _notice(
        self, status: HTTPStatus, title: str, text: str, hint: str = "", refresh: str = ""
    ) -> None:
        html = fill(
            "notice.html",
            title=title,
            text=text[:1].upper() + text[1:],
            hint=hint,
            refresh=markup(refresh),
            style=markup((ASSETS / "style.css").read_text(encoding="utf-8")),
        )
        self._send(status, "text/html; charset=utf-8", html)

    def _send(self, status: HTTPStatus, kind: str, text: str, policy: str = NOTICE_POLICY) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", f"{policy}; frame-ancestors 'none'")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def version_string(self) -> str:
        return "mltox"

    def log_message(self, format: str, *args: Any) -> None:
        log.debug(format, *args)


def status(shown: LastPage) -> str:
    """JSON: `version` of the page (null: none yet), `updated` in ms, `problem` or null."""
    return json.dumps(
        {
            "version": shown.page.version if shown.page else None,
            "updated": shown.updated // 1000 if shown.updated is not None else None,
            "problem": shown.problem,
        }
    )
