"""The loop of ingest: read, decode, find the topics, publish, move the cursor."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from ingest.cursors.store import Keeper
from ingest.delivery import Delivery
from ingest.messages import deletion_message, letter_id_of, post_message, reject_message
from ingest.sources.source import Batch, CurrentTopics, Source
from mltox.base.clock import now_micros
from mltox.google.pubsub.messages import Outgoing
from mltox.posts.authors import AuthorKeys
from mltox.posts.envelope import DELETION, Envelope
from mltox.posts.formats import decode
from mltox.posts.topics import Topic, TopicMatcher

log = logging.getLogger(__name__)

SAVE_SECONDS = 1.0
"""Between two writes of the cursor; an object of Cloud Storage takes about one a second."""
CONFIRM_SECONDS = 30.0
"""What is on its way when a run is stopped has so long to be confirmed; else it is read again."""


class Status(NamedTuple):
    """A run as its health is judged.

    `waiting` messages are in the outbox, the source yielded last at `yielded_at`, and Pub/Sub owes
    a confirmation since `unsafe_since`, both by the monotonic clock.
    """

    counts: Mapping[str, int]
    waiting: int
    yielded_at: float
    unsafe_since: float | None


class Sorter:
    """Turns payloads into messages. Holds the topics as they are now.

    Counts `read` (posts and things that are none: a page of 100 is 100), and of these

        read = posts + no_topic + rejected + deletions
    """

    def __init__(
        self,
        source: str,
        topics: CurrentTopics,
        authors: AuthorKeys,
        posts_topic: str,
        deletions_topic: str | None = None,
    ) -> None:
        self.counts: Counter[str] = Counter()
        self._source = source
        self._current = topics
        self._authors = authors
        self._posts_topic = posts_topic
        self._deletions_topic = deletions_topic
        self._topics: Sequence[Topic] = ()
        self._matcher = TopicMatcher(())

    def messages(self, batch: Batch) -> Iterator[Outgoing]:
        """Everything in a batch that is to be published, in order.

        A post belongs to the topics that it names itself, those it was asked for, and those that
        its text matches; one of no topic is dropped, where there are topics. Deletions go to a
        Pub/Sub topic of their own, or are counted only.
        """
        current = self._current()
        if current is not self._topics:
            self._topics, self._matcher = current, TopicMatcher(current)
        now = now_micros()
        for payload in batch.payloads:
            for index, item in enumerate(decode(payload, authors=self._authors, now=now)):
                self.counts["read"] += 1
                if isinstance(item, Envelope):
                    topics = self._topics_of(item, batch.topics)
                    # Without topics of our own the pipeline's decide.
                    wanted = bool(topics) or not current
                    self.counts["posts" if wanted else "no_topic"] += 1
                    if wanted:
                        yield post_message(self._posts_topic, item._replace(topics=topics))
                elif item.error_type == DELETION:
                    self.counts["deletions"] += 1
                    if item.post_id is not None and self._deletions_topic is not None:
                        yield deletion_message(self._deletions_topic, item.post_id)
                else:
                    self.counts["rejected"] += 1
                    letter_id = letter_id_of(payload, index, self._source, self._authors)
                    yield reject_message(self._posts_topic, item, self._source, now, letter_id)

    def _topics_of(self, post: Envelope, asked: Sequence[str]) -> tuple[str, ...]:
        allowed = {topic.name for topic in self._topics if topic.takes(post.source)}
        wanted = [name for name in asked if name in allowed]
        matched = self._matcher.match(post.text, post.lang, post.source)
        return tuple(dict.fromkeys((*post.topics, *wanted, *matched)))


class Ingest:
    """One source into Pub/Sub. At least once: what was read and is not confirmed comes again.

    `trouble` is why the source got nothing when it was heard of last; None where all is well.
    """

    def __init__(self, source: Source, sorter: Sorter, delivery: Delivery, keeper: Keeper) -> None:
        self._source = source
        self._sorter = sorter
        self._delivery = delivery
        self._keeper = keeper
        self._saved_at = self._yielded_at = time.monotonic()
        self.status = self._status()
        self.trouble: str | None = None

    def run(self, stopping: threading.Event) -> Counter[str]:
        """Until the source ends or `stopping` is set; returns the counts.

        Raises SourceError, PublishError and StateError, after what was confirmed is saved; sets
        `stopping` then.
        """
        try:
            self._read(stopping)
        except BaseException:
            stopping.set()  # for the threads of the source as well
            raise
        finally:
            self._finish(stopping)
        return self.counts

    @property
    def counts(self) -> Counter[str]:
        return self._sorter.counts + self._delivery.counts

    def _read(self, stopping: threading.Event) -> None:
        for batch in self._source.read(self._keeper.cursor, stopping):
            self._yielded_at = time.monotonic()
            self.trouble = batch.trouble
            self._delivery.add(list(self._sorter.messages(batch)), batch.cursor)
            self._settle()
            while self._delivery.full and not stopping.is_set():
                self._delivery.wait(0.1)
                self._settle()

    def _settle(self) -> None:
        self._keeper.move(self._delivery.settle())
        if time.monotonic() - self._saved_at >= SAVE_SECONDS:
            self._keeper.save()
            self._saved_at = time.monotonic()
        self.status = self._status()

    def _finish(self, stopping: threading.Event) -> None:
        """A source that has ended waits for its outbox; one that is stopped leaves it on disk."""
        deadline = None
        try:
            while not (
                self._delivery.settled and (stopping.is_set() or not self._delivery.waiting)
            ):
                self._settle()
                if stopping.is_set():
                    deadline = deadline or time.monotonic() + CONFIRM_SECONDS
                    if time.monotonic() > deadline:
                        log.warning("not all was confirmed in time; the rest is read again")
                        break
                self._delivery.wait(0.1)
        finally:
            self._keeper.save()
            self.status = self._status()

    def _status(self) -> Status:
        return Status(
            dict(self.counts),
            self._delivery.waiting,
            self._yielded_at,
            self._delivery.unsafe_since,
        )
