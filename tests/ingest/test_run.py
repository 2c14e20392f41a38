"""The loop over a source in memory; the wire is answered at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path

import orjson
import pytest
from google.api_core.exceptions import NotFound

from ingest.cursors.store import Keeper, LocalStore
from ingest.delivery import Delivery
from ingest.run import Ingest, Sorter
from ingest.sources.source import Batch, Cursor, SourceError
from mltox.google.pubsub.messages import Outgoing
from mltox.google.pubsub.publisher import PublishError
from mltox.posts.authors import AuthorKeys
from mltox.posts.envelope import encode_deletion
from mltox.posts.topics import Topic

POSTS, DELETIONS = "projects/p/topics/posts", "projects/p/topics/deletions"
AUTHORS = AuthorKeys(b"a secret of the tests")
TOPICS = [
    Topic("votes", keywords=("election",)),
    Topic("on x", keywords=("election",), sources=("x",)),
    Topic("asked", keywords=("never said",)),
    Topic("asked on x", keywords=("never said",), sources=("x",)),
]


def post(number: int, text: str = "election day", **more: object) -> bytes:
    row = {"id": str(number), "text": text, "created_at": "2026-03-02T12:00:00Z", **more}
    return orjson.dumps(row)


def sorted_out(batch: Batch, deletions: str | None = DELETIONS) -> tuple[list[Outgoing], Sorter]:
    sorter = Sorter("file", lambda: TOPICS, AUTHORS, POSTS, deletions)
    return list(sorter.messages(batch)), sorter


def topics_of(message: Outgoing) -> list[str]:
    found: list[str] = orjson.loads(message.data)["topics"]
    return found


@pytest.mark.parametrize(
    ("payload", "asked", "expected"),
    [
        (post(1), (), ["votes"]),
        (post(1, source="X"), (), ["votes", "on x"]),
        (post(1, topic="its own"), (), ["its own", "votes"]),
        (post(1), ("asked", "asked on x", "gone meanwhile"), ["asked", "votes"]),
        (post(1, source="X"), ("asked on x", "votes"), ["asked on x", "votes", "on x"]),
    ],
)
def test_a_post_has_the_topics_that_its_source_allows(
    payload: bytes, asked: tuple[str, ...], expected: list[str]
) -> None:
    (message,), _ = sorted_out(Batch((payload,), topics=asked))
    assert topics_of(message) == expected
    assert message.attributes["topic"] == expected[0]


def test_without_topics_every_post_goes_on_and_the_pipeline_decides() -> None:
    sorter = Sorter("file", lambda: [], AUTHORS, POSTS)
    messages = list(sorter.messages(Batch((post(1), post(2, "of no topic")))))
    assert [topics_of(message) for message in messages] == [[], []]
    assert all("topic" not in message.attributes for message in messages)
    assert sorter.counts == {"read": 2, "posts": 2}


def test_everything_that_is_read_is_counted_once() -> None:
    payloads = (post(1), post(2, "of no topic"), b"{", encode_deletion("x:9"), post(3, ""))
    messages, sorter = sorted_out(Batch(payloads))
    assert [message.topic for message in messages] == [POSTS, POSTS, DELETIONS, POSTS]
    counts = sorter.counts
    assert counts == {"read": 5, "posts": 1, "no_topic": 1, "rejected": 2, "deletions": 1}


def test_what_differs_is_a_letter_each_although_nothing_of_it_may_be_kept() -> None:
    """Of a broken row a letter keeps hardly anything: thousands of them would be one message."""
    payloads = (b"[] 1128", b"[] 1168", b"alice", b"bob", b"[1, 2]", b"[] 1128")
    messages, sorter = sorted_out(Batch(payloads))
    letters = [message.attributes["letter_id"] for message in messages]
    assert sorter.counts["rejected"] == len(letters) == 7
    assert letters[0] == letters[-1] and len(set(letters)) == 6
    assert [each.attributes["post_id"] for each in messages] == [
        f"reject:{letter}" for letter in letters
    ]
    again, _ = sorted_out(Batch(payloads))
    assert [message.attributes["letter_id"] for message in again] == letters
    other = Sorter("reddit", lambda: TOPICS, AUTHORS, POSTS)
    assert not set(letters) & {
        message.attributes["letter_id"] for message in other.messages(Batch(payloads))
    }


def test_deletions_without_a_topic_of_theirs_are_counted_only() -> None:
    messages, sorter = sorted_out(Batch((encode_deletion("x:9"),)), None)
    assert not messages and sorter.counts["deletions"] == 1


class Source:
    """Ten batches of a post each, then a failure if there is one."""

    name = "file"

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.began_at: list[str] = []

    def read(self, cursor: Cursor, stopping: threading.Event) -> Iterator[Batch]:
        start = int(cursor.get("at", "0"))
        for number in range(start, 10):
            if stopping.is_set():
                return
            yield Batch((post(number),), {"at": str(number + 1)})
        if self.failure is not None:
            raise self.failure


class Wire:
    """Takes `good` requests, then refuses all."""

    def __init__(self, good: int = 1000) -> None:
        self.good = good
        self.ids: list[str] = []

    def send(self, messages: Sequence[Outgoing]) -> Future[None]:
        future: Future[None] = Future()
        self.good -= 1
        if self.good < 0:
            future.set_exception(NotFound("gone"))
        else:
            self.ids += [message.attributes["post_id"] for message in messages]
            future.set_result(None)
        return future


def ingest_of(state: Path, source: Source, wire: Wire) -> Ingest:
    sorter = Sorter("file", lambda: TOPICS, AUTHORS, POSTS)
    keeper = Keeper(LocalStore(state), "file")
    return Ingest(source, sorter, Delivery(wire.send, None), keeper)


ALL = [f"file:{number}" for number in range(10)]


def test_a_second_run_has_nothing_to_do(tmp_path: Path) -> None:
    wire = Wire()
    counts = ingest_of(tmp_path, Source(), wire).run(threading.Event())
    assert counts == {"read": 10, "posts": 10, "published": 10}
    assert wire.ids == ALL
    assert not ingest_of(tmp_path, Source(), wire).run(threading.Event())
    assert wire.ids == ALL


def test_stopped_it_keeps_what_was_confirmed(tmp_path: Path) -> None:
    wire, stopping = Wire(), threading.Event()

    class Stopped(Source):
        def read(self, cursor: Cursor, stopping: threading.Event) -> Iterator[Batch]:
            for number, batch in enumerate(super().read(cursor, stopping)):
                if number == 4:
                    stopping.set()
                yield batch

    ingest_of(tmp_path, Stopped(), wire).run(stopping)
    assert wire.ids == ALL[:5]
    ingest_of(tmp_path, Source(), wire).run(threading.Event())
    assert wire.ids == ALL


def test_a_source_that_gives_up_keeps_what_was_confirmed(tmp_path: Path) -> None:
    wire = Wire()
    with pytest.raises(SourceError, match="refused"):
        ingest_of(tmp_path, Source(SourceError("refused")), wire).run(threading.Event())
    assert Keeper(LocalStore(tmp_path), "file").cursor == {"at": "10"}


@pytest.mark.parametrize("good", range(10))
def test_what_pub_sub_does_not_take_is_read_again(tmp_path: Path, good: int) -> None:
    wire = Wire(good)
    with pytest.raises(PublishError, match="there is no topic"):
        ingest_of(tmp_path, Source(), wire).run(threading.Event())
    assert Keeper(LocalStore(tmp_path), "file").cursor.get("at", "0") == str(good)
    wire.good = 1000
    ingest_of(tmp_path, Source(), wire).run(threading.Event())
    assert wire.ids == ALL
