"""A Mastodon instance on this machine: timelines by REST, streams by WebSocket, and how they fail.

A status that is in `timelines` can be read by REST. What a stream sends on a subscription follows
the next act of `acts`; once they are used up it sends all statuses of that timeline, as if they
were written just then.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

FIRST = 114_600_000_000_000_000
"""The number of status 0, a snowflake of 2025."""
MINUTE = 60_000 << 16
"""What a minute adds to a snowflake."""

# The library writes keys at level DEBUG; of the client's log a test demands that it does not.
_log = logging.getLogger(__name__)
_log.setLevel(logging.WARNING)

Act = Callable[["Instance", ServerConnection, str], None]
"""Takes the key of the feed that was subscribed to."""
Frame = bytes | dict[str, Any]


@dataclass(frozen=True)
class Refuse:
    """The answer to a request, or to a handshake, instead of the right one."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)


def status(number: int, text: str = "about the election", **more: Any) -> dict[str, Any]:
    """Status `number`, ten minutes after the one before."""
    return {
        "id": str(FIRST + number * 10 * MINUTE),
        "uri": f"https://home.example/users/someone/statuses/{number}",
        "created_at": "2025-06-02T10:00:00.000Z",
        "content": f"<p>status {number} {text}</p>",
        "spoiler_text": "",
        "language": "en",
        "visibility": "public",
        "reblog": None,
        "account": {"id": "3", "acct": "someone", "url": "https://home.example/@someone"},
        **more,
    }


def update(found: Mapping[str, Any], feed: str = "public", event: str = "update") -> dict[str, Any]:
    return {"stream": feed.split(":"), "event": event, "payload": json.dumps(found)}


def delete(number: int, feed: str = "public") -> dict[str, Any]:
    return {"stream": feed.split(":"), "event": "delete", "payload": status(number)["id"]}


@dataclass
class Instance:
    """`token`, if any, is wanted for everything; `asked` holds the requests as paths, `subscribed`
    and `unsubscribed` the feeds. `refusals` answer REST requests, `doors` handshakes. `late` are
    written to the public timeline while a connection is made."""

    timelines: dict[str, list[dict[str, Any]]]
    acts: deque[Act] = field(default_factory=deque)
    token: str | None = None
    refusals: deque[Refuse] = field(default_factory=deque)
    doors: deque[Refuse] = field(default_factory=deque)
    late: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    subscribed: list[str] = field(default_factory=list)
    unsubscribed: list[str] = field(default_factory=list)
    address: str = ""
    stream_address: str = ""

    def admit(self, _: ServerConnection, request: Request) -> Response | None:
        if self.doors:
            door = self.doors.popleft()
            return Response(door.status, "Refused", Headers(door.headers))
        if not self.may(request.headers.get("Authorization")):
            return Response(401, "Unauthorized", Headers())
        self.timelines.setdefault("public", []).extend(self.late)
        self.late.clear()
        return None

    def may(self, authorization: str | None) -> bool:
        return self.token is None or authorization == f"Bearer {self.token}"

    def handle(self, connection: ServerConnection) -> None:
        with suppress(ConnectionClosed, OSError):
            for message in connection:
                command = json.loads(message)
                feed = ":".join(filter(None, (command["stream"], command.get("tag"))))
                if command["type"] == "unsubscribe":
                    self.unsubscribed.append(feed)
                    continue
                self.subscribed.append(feed)
                act = self.acts.popleft() if self.acts else play
                act(self, connection, feed)

    def page(self, path: str, query: Mapping[str, list[str]]) -> list[dict[str, Any]]:
        """At most `limit` statuses behind `min_id`, newest first."""
        name = unquote(path.removeprefix("/api/v1/timelines/"))
        feed = name.replace("tag/", "hashtag:")
        if "local" in query:
            feed = "public:local"
        least = int(query.get("min_id", ["0"])[0])
        found = sorted(self.timelines.get(feed, []), key=lambda each: int(each["id"]))
        limit = int(query.get("limit", ["20"])[0])
        return [each for each in found if int(each["id"]) > least][:limit][::-1]


def send(connection: ServerConnection, *frames: Frame) -> None:
    for frame in frames:
        connection.send(
            frame if isinstance(frame, bytes) else json.dumps(frame).encode(), text=True
        )


def play(instance: Instance, connection: ServerConnection, feed: str) -> None:
    send(connection, *(update(each, feed) for each in instance.timelines.get(feed, [])))


def frames(*sent: Frame) -> Act:
    """Sends just these, and stays."""

    def act(_: Instance, connection: ServerConnection, __: str) -> None:
        send(connection, *sent)

    return act


def end_after(*sent: Frame) -> Act:
    """Closes the connection in good order after these."""

    def act(_: Instance, connection: ServerConnection, __: str) -> None:
        send(connection, *sent)
        connection.close()

    return act


def cut_after(*sent: Frame) -> Act:
    """Breaks the connection in the middle of the message that follows these."""

    def act(_: Instance, connection: ServerConnection, __: str) -> None:
        send(connection, *sent)
        connection.socket.sendall(b'\x81\x7e\x04\x00{"stream": ["public"], "event": "upd')
        connection.close_socket()

    return act


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    instance: Instance

    def do_GET(self) -> None:
        instance, url = self.instance, urlsplit(self.path)
        if url.path == "/api/v2/instance/":
            urls = {"streaming": instance.stream_address}
            self._answer(200, {"version": "4.4.0", "configuration": {"urls": urls}})
            return
        instance.asked.append(self.path)
        if instance.refusals:
            refusal = instance.refusals.popleft()
            self._answer(refusal.status, {"error": "refused"}, refusal.headers)
        elif not instance.may(self.headers.get("Authorization")):
            self._answer(401, {"error": "The access token is invalid"})
        else:
            self._answer(200, instance.page(url.path, parse_qs(url.query)))

    def _answer(self, code: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        content = json.dumps(body).encode()
        self.send_response(code)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(
    timelines: Mapping[str, Sequence[dict[str, Any]]], *acts: Act, token: str | None = None
) -> Iterator[Instance]:
    """Runs an instance with these timelines by feed; its `address` is what --instance takes."""
    instance = Instance(
        {feed: list(found) for feed, found in timelines.items()}, deque(acts), token
    )
    handler = type("Handler", (_Handler,), {"instance": instance})
    rest = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    rest.daemon_threads = True
    stream = serve(
        instance.handle,
        "127.0.0.1",
        0,
        process_request=instance.admit,
        close_timeout=1,
        ping_interval=0.1,  # keep-alives amid everything
        logger=_log,
    )
    instance.address = f"http://127.0.0.1:{rest.server_address[1]}"
    instance.stream_address = f"ws://127.0.0.1:{stream.socket.getsockname()[1]}"
    servers: tuple[ThreadingHTTPServer | Server, ...] = (rest, stream)
    threads = [
        threading.Thread(target=rest.serve_forever, args=(0.02,), daemon=True),
        threading.Thread(target=stream.serve_forever, daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        yield instance
    finally:
        for server in servers:
            server.shutdown()
        rest.server_close()
        for thread in threads:
            thread.join()
