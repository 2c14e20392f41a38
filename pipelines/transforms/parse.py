"""Messages in; posts with their topics, at their own event time, and dead letters out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import apache_beam as beam
from apache_beam.pvalue import DoOutputsTuple, TaggedOutput
from apache_beam.transforms.window import TimestampedValue
from apache_beam.utils.timestamp import Timestamp

from mltox.base.clock import now_micros
from mltox.posts.authors import AuthorKeys
from mltox.posts.envelope import Envelope, Reject
from mltox.posts.formats import decode
from mltox.posts.letters import dead_letter
from mltox.posts.records import Message, Micros, Post
from mltox.posts.topics import TopicMatcher
from pipelines.progress import UNHEARD, RowProgress
from pipelines.transforms.metrics import counter

DEAD = "dead_letters"
POSTS_TAG = "posts"


def topics_of_post(
    envelope: Envelope, matcher: TopicMatcher, default_topic: str | None = None
) -> tuple[str, ...]:
    """The topics that the source named, then those that the text matches, each once; the default
    topic where there is none of either."""
    matched = matcher.match(envelope.text, envelope.lang, envelope.source)
    topics = tuple(dict.fromkeys((*envelope.topics, *matched)))
    return topics or ((default_topic,) if default_topic else ())


def posts_by_topic(
    envelope: Envelope, topics: Iterable[str], ingested_at: Micros
) -> Iterator[Post]:
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


class ParseMessage(beam.DoFn):
    """Decodes a message in any shape that `mltox.posts.formats` knows.

    Counts `rows_read` (a page of 100 posts is 100 rows), `rows_no_topic`, `topic_copies` (a row of
    three topics adds two), `posts_parsed` and `dead_letters`, so that

        rows_read + topic_copies = posts_parsed + rows_no_topic + dead_letters
    """

    def __init__(
        self,
        matcher: TopicMatcher,
        authors: AuthorKeys,
        default_topic: str | None,
        progress: RowProgress,
    ) -> None:
        self._progress = progress
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
        for index, item in enumerate(decode(message.payload, authors=self._authors, now=now)):
            self._rows.inc()
            if isinstance(item, Reject):
                self._dead.inc()
                yield TaggedOutput(DEAD, dead_letter(item, "parse", message.origin, index, now))
                continue
            topics = topics_of_post(item, self._matcher, self._default_topic)
            if not topics:
                self._no_topic.inc()
                continue
            self._copies.inc(len(topics) - 1)
            self._parsed.inc(len(topics))
            for post in posts_by_topic(item, topics, now):
                yield TimestampedValue(post, Timestamp(micros=post.created_at))
        self._progress(1)


@dataclass(eq=False)
class Parse(beam.PTransform):
    """PCollection[Message] -> `posts`: Post at its created_at, `dead_letters`: DeadLetter."""

    matcher: TopicMatcher
    authors: AuthorKeys
    default_topic: str | None = None
    progress: RowProgress = UNHEARD

    def expand(self, messages: beam.PCollection[Message]) -> DoOutputsTuple:
        return messages | "Decode" >> beam.ParDo(
            ParseMessage(self.matcher, self.authors, self.default_topic, self.progress)
        ).with_outputs(DEAD, main=POSTS_TAG)
