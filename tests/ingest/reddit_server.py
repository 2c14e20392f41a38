"""Reddit on this machine: its login for applications and its listings, and how they fail.

`answers` holds what the next requests for a listing are answered with instead of the right page;
`logins` the same for the login.
"""

from __future__ import annotations

import base64
import json
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

CLIENT_ID, CLIENT_SECRET = "an-application", "the-secret-of-the-application"
TOKEN = "a-token-for-an-hour"
CREATED = 1_748_858_400
"""2025-06-02T10:00:00Z, in seconds."""
FIRST = int("mv0000", 36)
LISTING = 1_000


@dataclass(frozen=True)
class Answer:
    """What a request gets. With `cut` the connection breaks in the middle of the body."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False


def base36(number: int) -> str:
    digits = ""
    while number:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
    return digits


def comment(number: int, body: str = "", **more: Any) -> dict[str, Any]:
    native_id = base36(FIRST + number)
    data = {
        "id": native_id,
        "name": f"t1_{native_id}",
        "author": "someone",
        "subreddit": "news",
        "body": body or f"comment {number} about the election",
        "created_utc": float(CREATED + number),
        "replies": "",
    }
    return {"kind": "t1", "data": data | more}


def submission(number: int, selftext: str = "", **more: Any) -> dict[str, Any]:
    native_id = base36(FIRST + number)
    data = {
        "id": native_id,
        "name": f"t3_{native_id}",
        "author": "someone",
        "subreddit": "news",
        "title": f"submission {number} about the election",
        "selftext": selftext,
        "removed_by_category": None,
        "created_utc": float(CREATED + number),
    }
    return {"kind": "t3", "data": data | more}


@dataclass
class Reddit:
    """`new` and `comments` hold the things as they were made, the oldest first. `asked` holds the
    requests for listings as paths; `limits` are headers of every answer."""

    new: list[Any]
    comments: list[Any]
    answers: deque[Answer | None] = field(default_factory=deque)
    logins: deque[Answer] = field(default_factory=deque)
    asked: list[str] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    limits: dict[str, str] = field(default_factory=dict)
    address: str = ""

    def page(self, listing: str, query: Mapping[str, list[str]]) -> dict[str, Any]:
        things = (self.new if listing == "new" else self.comments)[::-1][:LISTING]
        names = [each["data"]["name"] if isinstance(each, dict) else "" for each in things]
        after = query.get("after", [""])[0]
        start = names.index(after) + 1 if after in names else 0
        end = start + int(query.get("limit", ["25"])[0])
        more = names[end - 1] if end < len(things) else None
        return {"kind": "Listing", "data": {"children": things[start:end], "after": more}}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    reddit: Reddit

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.reddit.logins:
            self._answer(self.reddit.logins.popleft())
            return
        keys = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if self.path != "/api/v1/access_token" or self.headers["Authorization"] != f"Basic {keys}":
            self._answer(Answer(401, b'{"message": "Unauthorized", "error": 401}'))
            return
        grant = {"access_token": TOKEN, "expires_in": 3600, "scope": "*", "token_type": "bearer"}
        self._answer(Answer(body=json.dumps(grant).encode()))

    def do_GET(self) -> None:
        reddit, url = self.reddit, urlsplit(self.path)
        reddit.asked.append(self.path)
        reddit.agents.add(self.headers["User-Agent"])
        if reddit.answers and (answer := reddit.answers.popleft()) is not None:
            self._answer(answer)
        elif self.headers["Authorization"] != f"bearer {TOKEN}":
            self._answer(Answer(401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}))
        else:
            page = reddit.page(url.path.rpartition("/")[2], parse_qs(url.query))
            self._answer(Answer(body=json.dumps(page).encode(), headers=reddit.limits))

    def _answer(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[: len(answer.body) // 2] if answer.cut else answer.body)
        self.close_connection = answer.cut

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serving(
    new: Sequence[Any], comments: Sequence[Any], *answers: Answer | None
) -> Iterator[Reddit]:
    """Runs a Reddit; its `address` is that of the API and of the login."""
    reddit = Reddit(list(new), list(comments), deque(answers))
    handler = type("Handler", (_Handler,), {"reddit": reddit})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    reddit.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield reddit
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
