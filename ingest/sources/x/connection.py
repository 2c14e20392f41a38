"""One connection to X's filtered stream, by tweepy's `StreamingClient` in a thread of its own."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from typing import NamedTuple

import requests
import tweepy

from ingest.sources.x.client import REQUESTED_FIELDS, Endpoint, XSession
from ingest.sources.x.errors import XError

WAITING_LINES = 2_000
"""Lines that wait to be taken; when there are as many X is read no further, and it closes the
connection of a reader that is slow for long."""
STALL_SECONDS = 25.0
"""X sends an empty line every 20 s at least."""
PUT_SECONDS = 0.5
JOIN_SECONDS = 2.0


class StreamLine(NamedTuple):
    """`content` is empty for a sign of life; `at_ms` is when it came, since 1970."""

    content: bytes
    at_ms: int


class Connection(tweepy.StreamingClient):
    """Lines until the connection breaks or is closed. tweepy would connect again by itself, with
    waits that nothing can end: here every connection is its last.

    `connected_ms` is when X accepted it, None before. `error` is why it broke, None where X closed
    it in order.
    """

    def __init__(self, endpoint: Endpoint, stall_seconds: float = STALL_SECONDS) -> None:
        super().__init__(endpoint.token, daemon=True, max_retries=0)
        self.session = XSession(endpoint.address, stall_seconds)
        self.connected_ms: int | None = None
        self.error: Exception | None = None
        self._lines: queue.Queue[StreamLine] = queue.Queue(WAITING_LINES)
        self._unwanted = threading.Event()
        self._over = threading.Event()

    def open(self, backfill_minutes: int | None) -> None:
        self.filter(threaded=True, backfill_minutes=backfill_minutes, **REQUESTED_FIELDS)

    def take(self, seconds: float) -> StreamLine | None:
        """Returns the next line, None where none came so long."""
        with contextlib.suppress(queue.Empty):
            return self._lines.get(timeout=seconds)
        return None

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self._over.is_set() and self._lines.empty()

    def close(self) -> None:
        """Ends it now: X counts a connection that is left open, and allows one."""
        self._unwanted.set()
        self.disconnect()
        answer = self.session.latest
        if answer is not None:
            # wakes the thread that is reading
            with contextlib.suppress(OSError, RuntimeError, ValueError):
                answer.raw.shutdown()
        self._over.wait(JOIN_SECONDS)

    def on_connect(self) -> None:
        if self.connected_ms is not None or self._unwanted.is_set():
            self.disconnect()
        else:
            self.connected_ms = _now_ms()

    def on_data(self, raw_data: bytes) -> None:
        self._put(raw_data)

    def on_keep_alive(self) -> None:
        self._put(b"")

    def on_closed(self, response: requests.Response) -> None:
        self.disconnect()

    def on_connection_error(self) -> None:
        self._broke(requests.ConnectionError("the stream broke off or was silent"))

    def on_request_error(self, status_code: int) -> None:
        self._broke(XError(status_code, "no stream"))

    def on_exception(self, exception: Exception) -> None:
        self._broke(exception)

    def on_disconnect(self) -> None:
        self._over.set()

    def _broke(self, error: Exception) -> None:
        self.error = error
        self.disconnect()

    def _put(self, content: bytes) -> None:
        line = StreamLine(content, _now_ms())
        while not self._unwanted.is_set():
            with contextlib.suppress(queue.Full):
                self._lines.put(line, timeout=PUT_SECONDS)
                return


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
