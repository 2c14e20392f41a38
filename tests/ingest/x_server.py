"""An X on this machine: recent search, counts, the filtered stream and its rules of API v2.

It refuses what X refuses of a request. A request takes the next refusal of `refusals` for its path
if there is one; a stream follows the next act of `acts`, and plays all posts once they are used up.
"""

from __future__ import annotations

import re
import select
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import orjson

TOKEN = "a-bearer-token-of-the-tests"
EPOCH_MS = 1_288_834_974_657
WEEK_MS = 7 * 86_400_000
BEAT_SECONDS = 0.05
SEARCH, COUNTS = "/2/tweets/search/recent", "/2/tweets/counts/recent"
STREAM, RULES = "/2/tweets/search/stream", "/2/tweets/search/stream/rules"

Json = dict[str, Any]


@dataclass(frozen=True)
class Refusal:
    status: int
    title: str = "refused"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    """In place of X's JSON."""


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def id_at(millis: int, number: int = 0) -> str:
    return str((millis - EPOCH_MS << 22) + number)


def millis_of(post_id: str | int) -> int:
    return (int(post_id) >> 22) + EPOCH_MS


def stamp(millis: int) -> str:
    return datetime.fromtimestamp(millis / 1000, UTC).isoformat(timespec="milliseconds")


def tweet(seconds_ago: float, text: str, number: int = 0, **more: Any) -> Json:
    """A post; `number` tells those of one moment apart."""
    millis = now_ms() - round(seconds_ago * 1000)
    return {
        "id": id_at(millis, number),
        "text": text,
        "author_id": "77",
        "created_at": stamp(millis).replace("+00:00", "Z"),
        "lang": "en",
        "edit_history_tweet_ids": [id_at(millis, number)],
        **more,
    }


def matches(query: str, post: Json) -> bool:
    """The part of X's query language that is used here: (a OR b) (lang:x OR lang:y)."""
    groups = [group.strip("()").split(" OR ") for group in query.split(") (")]
    return all(any(_matches_term(term, post) for term in group) for group in groups)


def _matches_term(term: str, post: Json) -> bool:
    if term.startswith("lang:"):
        return bool(post["lang"] == term.removeprefix("lang:"))
    word = re.escape(term.strip('"'))
    return re.search(rf"(?<!\w){word}(?!\w)", post["text"], re.IGNORECASE) is not None


class Stream:
    """A connection to the stream, as an act sees it."""

    def __init__(self, server: XServer, handler: BaseHTTPRequestHandler) -> None:
        self.server = server
        self._handler = handler

    def send(self, content: bytes) -> None:
        """Bytes as a chunk of their own."""
        self._handler.wfile.write(b"%x\r\n%b\r\n" % (len(content), content))

    def line(self, message: Json | bytes) -> None:
        content = message if isinstance(message, bytes) else orjson.dumps(message)
        self.send(content + b"\r\n")

    def post(self, post: Json) -> None:
        """With the tags of the rules that it matches; nothing if it matches none."""
        found = [rule for rule in self.server.rules if matches(rule["value"], post)]
        if found:
            tags = [{"id": rule["id"], "tag": rule["tag"]} for rule in found]
            self.line({**self.server.with_includes([post], {"data": post}), "matching_rules": tags})

    def alive(self) -> None:
        self.send(b"\r\n")

    def end(self) -> None:
        """As X ends one in order."""
        self._handler.wfile.write(b"0\r\n\r\n")

    @property
    def left(self) -> bool:
        """Whether whoever listened is gone. Waits a moment."""
        ready, _, _ = select.select([self._handler.connection], [], [], BEAT_SECONDS)
        return bool(ready) or self.server.stopping.is_set()


Act = Callable[[Stream], None]


def play(stream: Stream) -> None:
    """All posts, then what is pushed, and a sign of life each moment."""
    for post in stream.server.posts:
        stream.post(post)
    listen(stream)


def listen(stream: Stream) -> None:
    """What is pushed, and a sign of life each moment."""
    while not stream.left:
        with suppress(IndexError):
            stream.post(stream.server.pushed.popleft())
        stream.alive()


def stall(stream: Stream) -> None:
    """One post, then not even a sign of life."""
    stream.post(stream.server.posts[0])
    while not stream.left:
        pass


def cut(stream: Stream) -> None:
    """One post, and the connection is gone in the middle of the next."""
    first, second = stream.server.posts[:2]
    stream.post(first)
    stream.send(orjson.dumps({"data": second})[:20])


def end(stream: Stream) -> None:
    """One post, then the end in order."""
    stream.post(stream.server.posts[0])
    stream.end()


def end_after(*messages: Json | bytes) -> Act:
    """These lines, then the end in order."""

    def act(stream: Stream) -> None:
        for message in messages:
            stream.line(message)
        stream.end()

    return act


@dataclass
class XServer:
    """`asked` holds the query parameters of every request that was answered, by path.

    `posts` are those that exist, the oldest first; `originals` those that only come along with
    others. `others_rules` were made by somebody else on the same account.
    """

    posts: list[Json]
    originals: list[Json] = field(default_factory=list)
    rules: list[Json] = field(default_factory=list)
    acts: deque[Act] = field(default_factory=deque)
    refusals: dict[str, deque[Refusal]] = field(default_factory=lambda: defaultdict(deque))
    asked: dict[str, list[dict[str, str]]] = field(default_factory=lambda: defaultdict(list))
    pushed: deque[Json] = field(default_factory=deque)
    stopping: threading.Event = field(default_factory=threading.Event)
    connections: int = 0
    reads: int = 0
    """Posts that were given out by search, those that came along too."""
    page_tokens: dict[str, int] = field(default_factory=dict)
    address: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def with_includes(self, posts: Sequence[Json], answer: Json) -> Json:
        wanted = {ref["id"] for post in posts for ref in post.get("referenced_tweets", ())}
        found = [post for post in (*self.posts, *self.originals) if post["id"] in wanted]
        return {**answer, "includes": {"tweets": found}} if found else answer

    def search(self, query: dict[str, str]) -> Json:
        most = int(query.get("max_results", "10"))
        if not 10 <= most <= 100:
            raise Invalid("The `max_results` query parameter value is not between 10 and 100")
        found = self._found(query)[::-1]
        first = self.page_tokens[query["next_token"]] if "next_token" in query else 0
        page = found[first : first + most]
        meta: Json = {"result_count": len(page)}
        if first + most < len(found):
            meta["next_token"] = f"page{len(self.page_tokens)}"
            self.page_tokens[meta["next_token"]] = first + most
        answer = self.with_includes(page, {"data": page, "meta": meta} if page else {"meta": meta})
        along = {each["id"] for each in answer.get("includes", {}).get("tweets", ())}
        self.reads += len({each["id"] for each in page} | along)
        return answer

    def count(self, query: dict[str, str]) -> Json:
        total = len(self._found(query))
        bucket = {"start": stamp(0), "end": stamp(now_ms()), "tweet_count": total}
        return {"data": [bucket], "meta": {"total_tweet_count": total}}

    def _found(self, query: dict[str, str]) -> list[Json]:
        if len(query["query"]) > 512:
            raise Invalid("The `query` query parameter value is too long")
        ids, times = {"since_id", "until_id"} & query.keys(), {"start_time", "end_time"}
        if ids and times & query.keys():
            raise Invalid("Invalid use of 'since_id' or 'until_id' together with times")
        oldest = now_ms() - WEEK_MS
        if "since_id" in query and millis_of(query["since_id"]) < oldest:
            raise Invalid(f"'since_id' must be a tweet id created after {stamp(oldest)}.")
        since = int(query.get("since_id", id_at(oldest)))
        until = int(query.get("until_id", id_at(now_ms() + 60_000)))
        if "start_time" in query:
            began = _millis(query["start_time"])
            if began < oldest:
                raise Invalid(f"'start_time' must be on or after {stamp(oldest)}.")
            since = int(id_at(began)) - 1
        if "end_time" in query:
            until = int(id_at(_millis(query["end_time"])))
        return [
            post
            for post in self.posts
            if since < int(post["id"]) < until and matches(query["query"], post)
        ]

    def change_rules(self, body: Json) -> Json:
        if "delete" in body:
            gone = set(body["delete"]["ids"])
            self.rules = [rule for rule in self.rules if rule["id"] not in gone]
            return {"meta": {"summary": {"deleted": len(gone), "not_deleted": 0}}}
        created, errors = [], []
        for new in body["add"]:
            if len(new["value"]) > 512:
                errors.append({"title": "Invalid Rule", "value": new["value"], "details": ["long"]})
            elif any(rule["value"] == new["value"] for rule in self.rules):
                errors.append({"title": "DuplicateRule", "value": new["value"]})
            else:
                number = 1 + max((int(rule["id"]) for rule in self.rules), default=0)
                created.append({"id": str(number), **new})
                self.rules.append(created[-1])
        summary = {"created": len(created), "not_created": len(errors)}
        return {"data": created, "meta": {"summary": summary}} | (
            {"errors": errors} if errors else {}
        )


class Invalid(Exception):
    """X's 400."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    x: XServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Tests print enough."""

    def _answer(self) -> None:
        x, parts = self.server.x, urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        query = dict(parse_qsl(parts.query))
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._refuse(Refusal(401, "Unauthorized"))
        with x.lock:
            if refusals := x.refusals[parts.path]:
                return self._refuse(refusals.popleft())
            if parts.path == STREAM:
                if x.connections:
                    return self._refuse(
                        Refusal(429, "ConnectionException", {"x-rate-limit-remaining": "40"})
                    )
                x.connections += 1
            x.asked[parts.path].append(query)
            if parts.path != STREAM:
                try:
                    answer = self._routed(x, parts.path, query, body)
                except Invalid as invalid:
                    error = {"errors": [{"message": str(invalid)}], "title": "Invalid Request"}
                    return self._send(400, orjson.dumps(error))
                return self._send(200, orjson.dumps(answer))
        self._stream(x)

    def _routed(self, x: XServer, path: str, query: dict[str, str], body: bytes) -> Json:
        if path == SEARCH:
            return x.search(query)
        if path == COUNTS:
            return x.count(query)
        if path == RULES and self.command == "GET":
            return {"data": x.rules, "meta": {"result_count": len(x.rules)}}
        if path == RULES:
            return x.change_rules(orjson.loads(body))
        raise Invalid(f"no such path: {path}")

    def _stream(self, x: XServer) -> None:
        try:
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            act = x.acts.popleft() if x.acts else play
            with suppress(OSError):
                act(Stream(x, self))
        finally:
            with x.lock:
                x.connections -= 1
            self.close_connection = True

    def _refuse(self, refusal: Refusal) -> None:
        body = refusal.body
        if body is None:
            body = orjson.dumps({"title": refusal.title, "detail": "in the tests"})
        self._send(refusal.status, body, refusal.headers)

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = _answer


def _millis(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@contextmanager
def serving(posts: Sequence[Json], **more: Any) -> Iterator[XServer]:
    """Runs a server on a free port; `posts` may come in any order."""
    x = XServer(sorted(posts, key=lambda post: int(post["id"])), **more)
    server = _Server(("127.0.0.1", 0), _Handler)
    server.x = x
    x.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield x
    finally:
        x.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join()
