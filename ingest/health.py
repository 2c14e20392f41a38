"""Whether a run is well, over HTTP, for whoever restarts it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson

from ingest.run import Status
from mltox.base.errors import UserError

STALE_SECONDS = 60.0
"""A source yields at least once a second, with or without posts."""


class HealthError(UserError):
    """The port cannot be had; one line for a person."""


def report(status: Status, now: float) -> tuple[bool, dict[str, Any]]:
    """Well is a run whose source yields and whose messages Pub/Sub takes. `now` is monotonic."""
    silent = now - status.yielded_at
    owed = 0.0 if status.unsafe_since is None else now - status.unsafe_since
    healthy = max(silent, owed) < STALE_SECONDS and not status.waiting
    return healthy, {
        "healthy": healthy,
        "seconds_since_source": round(silent, 1),
        "seconds_unconfirmed": round(owed, 1),
        "waiting_on_disk": status.waiting,
        "counts": dict(status.counts),
    }


@contextmanager
def serving(status: Callable[[], Status], port: int) -> Iterator[int]:
    """Answers any GET with 200 or 503 and the counts as JSON; yields the port (0: a free one).

    On all addresses, for whoever asks is outside the container; it tells nothing but counts.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout = 10.0

        def do_GET(self) -> None:
            healthy, found = report(status(), time.monotonic())
            body = orjson.dumps(found)
            self.send_response(200 if healthy else 503)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """What strangers ask for goes into no log."""

    try:
        server = ThreadingHTTPServer(("", port), Handler)
    except OSError as error:
        raise HealthError(f"--health-port {port}: {error.strerror}") from error
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.2,), daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
