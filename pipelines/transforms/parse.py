"""Messages in; posts with their topics, at their own event time, and dead letters out."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import apache_beam as beam
import orjson
from apache_beam.pvalue import DoOutputsTuple, TaggedOutput
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import Timestamp

from mltox.base.progress import advance
from mltox.posts.authors import AuthorKeys
from mltox.posts.envelope import Envelope, Reject, encode
from mltox.posts.formats import decode
from mltox.posts.formats.masked import MAX_PAYLOAD, storable
from mltox.posts.formats.own import MAX_ID_CHARACTERS
from mltox.posts.records import DeadLetter, Message, Micros, Post
from mltox.posts.topics import TopicMatcher
from pipelines.transforms.metrics import counter

DEAD = "dead_letters"
POSTS = "posts"
LETTER_ID = "letter_id"
"""Attribute of a message that was a dead letter."""
REPLAYED = "letter:"
REJECTED = b'{"mltox_reject":'
MOST_CHARACTERS = (100, 1_000, MAX_PAYLOAD, MAX_ID_CHARACTERS)
"""Of a reject's error type, message, payload and post id."""


def now_micros() -> Micros:
    return time.time_ns() // 1000


def topics_of(
    envelope: Envelope, matcher: TopicMatcher, default_topic: str | None = None
) -> tuple[str, ...]:
    """The topics that the source named, then those that the text matches, each once; the default
    topic where there is none of either."""
    matched = matcher.match(envelope.text, envelope.lang, envelope.source)
    topics = tuple(dict.fromkeys((*envelope.topics, *matched)))
    return topics or ((default_topic,) if default_topic else ())


def posts_of(envelope: Envelope, topics: Iterable[str], ingested_at: Micros) -> Iterator[Post]:
    for topic in topics:
        yield Post(
            topic=topic,
            post_id=envelope.post_id,
            source=envelope.source,
            author_key=envelope.author_key,
            text=envelope.text,
            lang=envelope.lang,
            created_at=envelope.created_at,
            ingested_at=ingested_at,
        )


def origin_of(message_id: str, attributes: Mapping[str, str] | None) -> str:
    """Where a message of Pub/Sub came from. A letter that was put back is not a new message each
    time: it has its letter's id as an attribute."""
    replayed = (attributes or {}).get(LETTER_ID)
    return f"{REPLAYED}{replayed}" if replayed else f"pubsub:{message_id}"


def letter_id(stage: str, origin: str, index: int) -> str:
    """The same place of the same input gives the same letter on every run. A letter that was put
    back and is refused again stays the letter that it was."""
    if origin.startswith(REPLAYED) and index == 0:
        return origin.removeprefix(REPLAYED)
    return hashlib.sha256(f"{stage}\0{origin}\0{index}".encode()).hexdigest()[:32]


def payload_of(post: Post) -> str:
    """The whole post as an envelope, for the payload of its dead letter: it can be put back."""
    envelope = Envelope(
        post_id=post.post_id,
        source=post.source,
        text=post.text,
        created_at=post.created_at,
        lang=post.lang,
        author_key=post.author_key,
        topics=(post.topic,),
    )
    return encode(envelope).decode()


def dead_letter(reject: Reject, stage: str, origin: str, index: int, seen_at: Micros) -> DeadLetter:
    return DeadLetter(
        letter_id=letter_id(stage, origin, index),
        stage=stage,
        error_type=reject.error_type,
        message=reject.message,
        payload=reject.payload,
        post_id=reject.post_id,
        seen_at=seen_at,
    )


def encode_reject(reject: Reject) -> bytes:
    """A reject as a message, for a row that was found wanting before it entered the pipeline."""
    return REJECTED + orjson.dumps(tuple(reject)) + b"}"


def is_sound(reject: Reject) -> bool:
    """Whether it fits a row. On a topic anybody may write what `encode_reject` writes."""
    return all(
        isinstance(text, str) and len(text) <= most and storable(text) == text
        for text, most in zip(reject, MOST_CHARACTERS, strict=True)
        if text is not None or most != MAX_ID_CHARACTERS
    )


def items_of(payload: bytes, authors: AuthorKeys, now: Micros) -> Iterator[Envelope | Reject]:
    """The posts and rejects in a payload: those of `decode`, or the one of `encode_reject`."""
    if payload.startswith(REJECTED):
        with contextlib.suppress(orjson.JSONDecodeError, KeyError, TypeError):
            reject = Reject(*orjson.loads(payload)["mltox_reject"])
            if is_sound(reject):
                yield reject
                return
    yield from decode(payload, authors=authors, now=now)


class ParseMessage(beam.DoFn):
    """Decodes a message in any shape that `mltox.posts.formats` knows.

    Counts `rows_read` (a page of 100 posts is 100 rows), `rows_no_topic`, `topic_copies` (a row of
    three topics adds two), `posts_parsed` and `dead_letters`, so that

        rows_read + topic_copies = posts_parsed + rows_no_topic + dead_letters
    """

    def __init__(
        self, matcher: TopicMatcher, authors: AuthorKeys, default_topic: str | None
    ) -> None:
        self._default_topic = default_topic
        self._matcher = matcher
        self._authors = authors
        self._rows = counter("rows_read")
        self._no_topic = counter("rows_no_topic")
        self._copies = counter("topic_copies")
        self._parsed = counter("posts_parsed")
        self._dead = counter("dead_letters")

    def process(self, message: Message) -> Iterator[TimestampedValue | TaggedOutput]:
        now = now_micros()
        for index, item in enumerate(items_of(message.payload, self._authors, now)):
            self._rows.inc()
            if isinstance(item, Reject):
                self._dead.inc()
                yield TaggedOutput(DEAD, dead_letter(item, "parse", message.origin, index, now))
                continue
            topics = topics_of(item, self._matcher, self._default_topic)
            if not topics:
                self._no_topic.inc()
                continue
            self._copies.inc(len(topics) - 1)
            self._parsed.inc(len(topics))
            for post in posts_of(item, topics, now):
                yield TimestampedValue(post, Timestamp(micros=post.created_at))
        advance(1)


@dataclass(eq=False)
class Parse(beam.PTransform):
    """PCollection[Message] -> `posts`: Post at its created_at, `dead_letters`: DeadLetter."""

    matcher: TopicMatcher
    authors: AuthorKeys
    default_topic: str | None = None

    def expand(self, messages: beam.PCollection[Message]) -> DoOutputsTuple:
        return messages | "Decode" >> beam.ParDo(
            ParseMessage(self.matcher, self.authors, self.default_topic)
        ).with_outputs(DEAD, main=POSTS)
