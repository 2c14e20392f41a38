"""A Jetstream on this machine: the /subscribe endpoint, its cursor, and the ways it fails.

Each connection follows the next act of `acts`, and plays the events once they are used up.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

START = 1_748_858_400_000_000
"""The time on the stream of the first event: 2025-06-02T10:00:00Z."""
STEP = 10_000_000
"""Microseconds between two events."""

Act = Callable[[ServerConnection, Sequence[bytes], threading.Event], None]


@dataclass(frozen=True)
class Refuse:
    """An act that ends with the handshake."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)


def commit(number: int, operation: str = "create", **record: Any) -> dict[str, Any]:
    """The commit of post `number` on the stream of one author."""
    event: dict[str, Any] = {
        "did": "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa",
        "time_us": START + number * STEP,
        "kind": "commit",
        "commit": {
            "rev": f"3krev{number:04}",
            "operation": operation,
            "collection": "app.bsky.feed.post",
            "rkey": f"3kpost{number:04}",
        },
    }
    if operation != "delete":
        event["commit"]["cid"] = "bafy"
        event["commit"]["record"] = {
            "$type": "app.bsky.feed.post",
            "createdAt": "2025-06-02T10:00:00.000Z",
            "langs": ["en"],
            "text": f"post {number} about the election",
            **record,
        }
    return event


def identity(number: int) -> dict[str, Any]:
    """An event of an account, which Jetstream sends whatever collections are wanted."""
    return {
        "did": "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa",
        "time_us": START + number * STEP,
        "kind": "identity",
        "identity": {"handle": "someone.example"},
    }


@dataclass
class Jetstream:
    """`asked` holds the query of every handshake. Without a cursor the stream begins with the first
    event, as if all were written once somebody listens."""

    events: list[Any]
    acts: deque[Act | Refuse] = field(default_factory=deque)
    asked: list[dict[str, str]] = field(default_factory=list)
    address: str = ""
    closing: threading.Event = field(default_factory=threading.Event)

    def admit(self, _: ServerConnection, request: Request) -> Response | None:
        url = urlsplit(request.path)
        self.asked.append({key: values[-1] for key, values in parse_qs(url.query).items()})
        if url.path != "/subscribe":
            return Response(404, "Not Found", Headers())
        if self.acts and isinstance(self.acts[0], Refuse):
            act = self.acts.popleft()
            assert isinstance(act, Refuse)
            return Response(act.status, "Refused", Headers(act.headers))
        return None

    def handle(self, connection: ServerConnection) -> None:
        act = self.acts.popleft() if self.acts else play
        assert not isinstance(act, Refuse)
        cursor = int(self.asked[-1].get("cursor", 0))
        with suppress(ConnectionClosed, OSError):
            act(connection, [raw(e) for e in self.events if stamp(e) >= cursor], self.closing)


def raw(event: Any) -> bytes:
    return event if isinstance(event, bytes) else orjson.dumps(event)


def stamp(event: Any) -> int:
    """The time of an event, whatever it is; what has none is always sent."""
    return event.get("time_us", 1 << 62) if isinstance(event, dict) else 1 << 62


def play(connection: ServerConnection, events: Sequence[bytes], closing: threading.Event) -> None:
    """Sends the events, then keeps the connection and has no more."""
    _send(connection, events)
    _stay(connection)


def end_after(count: int) -> Act:
    """Closes the connection in good order after so many events."""

    def act(connection: ServerConnection, events: Sequence[bytes], _: threading.Event) -> None:
        _send(connection, events[:count])

    return act


def cut_after(count: int) -> Act:
    """Breaks the connection in the middle of the message that follows so many."""

    def act(connection: ServerConnection, events: Sequence[bytes], _: threading.Event) -> None:
        _send(connection, events[:count])
        whole = events[count]
        header = b"\x81\x7e" + len(whole).to_bytes(2, "big")
        connection.socket.sendall(header + whole[: len(whole) // 2])
        connection.close_socket()

    return act


def stall_after(count: int) -> Act:
    """Falls silent after so many events, and still answers pings."""

    def act(connection: ServerConnection, events: Sequence[bytes], _: threading.Event) -> None:
        _send(connection, events[:count])
        _stay(connection)

    return act


def freeze_after(count: int) -> Act:
    """Falls silent after so many events, and answers no ping either."""

    def act(
        connection: ServerConnection, events: Sequence[bytes], closing: threading.Event
    ) -> None:
        _send(connection, events[:count])
        with connection.protocol_mutex:
            closing.wait(60)

    return act


def _send(connection: ServerConnection, events: Sequence[bytes]) -> None:
    for event in events:
        connection.send(event, text=True)


def _stay(connection: ServerConnection) -> None:
    for _ in connection:
        pass


@contextmanager
def serving(events: Sequence[Any], *acts: Act | Refuse) -> Iterator[Jetstream]:
    """Runs a Jetstream; its `address` is what --host takes."""
    jetstream = Jetstream(list(events), deque(acts))
    server = serve(
        jetstream.handle,
        "127.0.0.1",
        0,
        process_request=jetstream.admit,
        compression=None,
        close_timeout=1,
        ping_interval=0.1,  # keep-alives amid everything
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    jetstream.address = f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
    try:
        yield jetstream
    finally:
        jetstream.closing.set()
        server.shutdown()
        thread.join()
