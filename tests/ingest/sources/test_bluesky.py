from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest

from ingest.sources.bluesky import REWIND, Bluesky, JetstreamEvent, StreamPosition, address, sift
from ingest.sources.retries import Backoff
from ingest.sources.source import Batch, SourceError
from ingest.sources.websocket import Liveness
from tests.ingest.jetstream_server import (
    START,
    STEP,
    Jetstream,
    Refuse,
    commit,
    cut_after,
    end_after,
    freeze_after,
    identity,
    raw,
    serving,
    stall_after,
)
from tests.ingest.sources.contract import Case, SourceContract, posts_of, read_until

POSTS = [commit(number) for number in range(6)]
POST_IDS = posts_of(map(orjson.dumps, POSTS))
EVENTS = [*POSTS[:3], identity(3), *POSTS[3:]]
SOON = Backoff(first=0.01, longest=0.02)


def source(*servers: Jetstream, liveness: Liveness = Liveness()) -> Bluesky:  # noqa: B008
    return Bluesky([server.address for server in servers], backoff=SOON, liveness=liveness)


def payloads(batches: list[Batch]) -> list[bytes]:
    return [payload for batch in batches for payload in batch.payloads]


def until_posts(wanted: list[str]) -> Callable[[list[Batch]], bool]:
    return lambda found: set(wanted) <= set(posts_of(payloads(found)))


def seen(found: list[Batch]) -> list[str]:
    return list(dict.fromkeys(posts_of(payloads(found))))


class TestBluesky(SourceContract):
    @pytest.fixture
    def case(self) -> Iterator[Case]:
        with serving(EVENTS) as server:
            yield Case("bluesky", ["--host", server.address], POST_IDS, ends=False)


@pytest.mark.parametrize(
    "act",
    [end_after(2), cut_after(2), Refuse(503), Refuse(429, {"Retry-After": "0"})],
    ids=["closed", "cut in a message", "503", "429"],
)
def test_after_an_interruption_the_stream_goes_on(act: Any) -> None:
    with serving(POSTS, act) as server:
        found = read_until(source(server), {}, until_posts(POST_IDS))
    assert seen(found) == POST_IDS
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("act", "liveness"),
    [(stall_after(2), Liveness(silence=0.3)), (freeze_after(2), Liveness(ping=0.2))],
    ids=["answers pings", "is dead"],
)
def test_a_server_that_falls_silent_is_left(act: Any, liveness: Liveness) -> None:
    with serving(POSTS, act) as first, serving(POSTS) as second:
        found = read_until(source(first, second, liveness=liveness), {}, until_posts(POST_IDS))
    assert seen(found) == POST_IDS
    assert len(first.asked) == 1


def test_the_next_host_takes_over_a_little_earlier() -> None:
    with serving(POSTS, end_after(3)) as first, serving(POSTS) as second:
        found = read_until(source(first, second), {}, until_posts(POST_IDS))
    assert seen(found) == POST_IDS
    assert second.asked[0]["cursor"] == str(START + 2 * STEP - REWIND)


def test_a_wait_that_the_server_asks_for_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    with serving(POSTS, Refuse(429, {"Retry-After": "500"})) as server:
        read_until(source(server), {}, lambda _: "next try" in caplog.text)
    assert "HTTP 429); next try in 500.0 s" in caplog.text


def test_hosts_that_all_refuse_end_it() -> None:
    acts = [Refuse(403)] * 3
    with (
        serving(POSTS, *acts) as first,
        serving(POSTS, *acts) as second,
        pytest.raises(SourceError, match="HTTP 403"),
    ):
        read_until(source(first, second), {}, lambda _: False)
    assert len(first.asked) == len(second.asked) == 1


def test_one_host_that_refuses_does_not() -> None:
    with serving(POSTS, *[Refuse(403)] * 3) as first, serving(POSTS) as second:
        assert seen(read_until(source(first, second), {}, until_posts(POST_IDS))) == POST_IDS


def test_a_host_that_is_not_there_does_not() -> None:
    nobody = Jetstream([], address="ws://127.0.0.1:9")
    with serving(POSTS) as server:
        assert seen(read_until(source(nobody, server), {}, until_posts(POST_IDS))) == POST_IDS


def test_broken_messages_are_passed_on_and_end_nothing() -> None:
    broken = [b'{"did": "did:plc:', b"\xff\xfe", b"[1, 2]", b'"text"']
    with serving([POSTS[0], *broken, POSTS[1]]) as server:
        found = read_until(source(server), {}, until_posts(POST_IDS[:2]))
    assert payloads(found) == [raw(POSTS[0]), *broken, raw(POSTS[1])]


def test_deletions_and_edits_come_and_duplicates_do_not_matter() -> None:
    edited = commit(0, "update", text="post 0, edited")
    events = [POSTS[0], POSTS[0], edited, commit(0, "delete"), POSTS[1]]
    with serving(events) as server:
        found = read_until(source(server), {}, until_posts(POST_IDS[:2]))
    assert payloads(found) == list(map(raw, events))


def test_what_no_topic_could_match_moves_the_cursor_alone() -> None:
    like = commit(1)
    like["commit"]["collection"] = "app.bsky.feed.like"
    with serving([POSTS[0], like, commit(2, text="\n"), identity(3)]) as server:
        last = {"time_us": str(START + 3 * STEP)}
        found = read_until(source(server), {}, lambda found: found[-1].cursor == last)
    assert payloads(found) == [raw(POSTS[0])]


def test_only_posts_are_asked_for_from_now_on_at_the_first() -> None:
    with serving(POSTS) as server:
        read_until(source(server), {}, until_posts(POST_IDS))
    assert server.asked[0]["wantedCollections"] == "app.bsky.feed.post"
    assert "cursor" not in server.asked[0]


def test_addresses() -> None:
    assert address("jetstream.example", None).startswith("wss://jetstream.example/subscribe?")
    assert address("ws://127.0.0.1:1", 17).endswith("&cursor=17")


@pytest.mark.parametrize(
    ("message", "event"),
    [
        (orjson.dumps(POSTS[1]), JetstreamEvent(True, START + STEP)),
        (orjson.dumps(commit(1, "delete")), JetstreamEvent(True, START + STEP)),
        (orjson.dumps(identity(1)), JetstreamEvent(False, START + STEP)),
        (orjson.dumps({"time_us": "soon"}), JetstreamEvent(False, None)),
        (orjson.dumps(commit(1, text=None)), JetstreamEvent(True, START + STEP)),
        (b"{", JetstreamEvent(True, None)),
        (b"null", JetstreamEvent(True, None)),
    ],
)
def test_sifting(message: bytes, event: JetstreamEvent) -> None:
    assert sift(message) == event


class TestPosition:
    NOW = START + 1000 * STEP

    def position(self, cursor: dict[str, str]) -> StreamPosition:
        return StreamPosition(cursor, clock=lambda: self.NOW)

    def test_it_moves_forward_only(self) -> None:
        position = self.position({})
        assert position.resume() is None
        assert position.moved(START) == {"time_us": str(START)}
        assert position.moved(START) is None
        assert position.moved(START - 1) is None
        assert position.moved(None) is None
        assert position.resume() == START - REWIND

    def test_a_stamp_from_the_future_does_not_move_it(self) -> None:
        position = self.position({"time_us": str(START)})
        assert position.moved(self.NOW + 86_400_000_000) is None
        assert position.resume() == START - REWIND

    def test_a_gap_is_told_once(self, caplog: pytest.LogCaptureFixture) -> None:
        position = self.position({"time_us": str(START)})
        position.resume()
        with caplog.at_level(logging.WARNING):
            position.moved(START + 600_000_000)
            position.moved(START + 1_800_000_000)
        [record] = caplog.records
        assert "from 2025-06-02 10:00:00+00:00 to 2025-06-02 10:10:00+00:00" in record.message
