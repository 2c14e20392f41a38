"""Posts of a bounded input in, scored posts out, with each distinct text scored once.

    posts ─ spread by their text's hash ─ hold ─ texts not seen ─ known of before? ─ model

Copies of a text meet in one worker, since the hash decides which; in a run of one process they do
anyway. What the same model has said of a text in an earlier run is looked up and not asked again.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.pvalue import DoOutputsTuple, TaggedOutput
from apache_beam.transforms.window import GlobalWindows, TimestampedValue
from apache_beam.utils.timestamp import Timestamp
from apache_beam.utils.windowed_value import WindowedValue
from cachetools import LRUCache

from mltox.base.clock import now_micros
from mltox.posts.envelope import Reject
from mltox.posts.letters import dead_letter, payload_of
from mltox.posts.records import UNSCORED, DeadLetter, Post, ScoredPost, Scores, TextScore
from mltox.scoring.scale.scaled import AnyScorer
from pipelines.transforms.known import Known
from pipelines.transforms.metrics import counter, distribution
from pipelines.transforms.model import BATCH_POSTS, ModelKey, shared_model
from pipelines.transforms.parse import DEAD
from pipelines.transforms.score import SCORED, TEXT_SCORES, score_batch, scored, text_sha256
from pipelines.transforms.window import IntoHours

HELD_POSTS = 20_000
"""Posts whose texts are looked up at once: a look costs the same for one text and for many."""
REMEMBERED = 50_000
"""Texts whose scores a worker keeps; more than it can hold posts."""
SHARD_DIGITS = 3
"""Hex digits of the hash by which posts are spread: 4,096 shards."""


def shard_of(post: Post) -> str:
    return text_sha256(post.text)[:SHARD_DIGITS]


class Found(NamedTuple):
    """`results` in the order of the posts, the texts that the model scored now, and how many
    scores were `known` from an earlier run."""

    results: list[ScoredPost | Reject]
    new: list[TextScore]
    known: int


class TextMemory:
    """Gives each post its text's scores, and asks the model about each text once."""

    def __init__(self, known: Known | None) -> None:
        self._known = known
        self._texts: LRUCache[str, Scores] = LRUCache(REMEMBERED)
        self._verdicts: LRUCache[tuple[str, str | None], Scores | Reject] = LRUCache(REMEMBERED)

    def score(self, scorer: AnyScorer, posts: Sequence[Post]) -> Found:
        """At most HELD_POSTS posts. Raises ModelError, and WarehouseError where known scores
        cannot be read."""
        hashes = [text_sha256(post.text) for post in posts]
        known = self._look_up(scorer.model_sha256, {h for h in hashes if h not in self._texts})
        unseen: dict[tuple[str, str | None], Post] = {}
        for text, post in zip(hashes, posts, strict=True):
            key = text, post.lang
            if key in self._verdicts:
                continue
            if text in self._texts:
                reads = scorer.reads(post.text, post.lang)
                self._verdicts[key] = self._texts[text] if reads else UNSCORED
            else:
                unseen.setdefault(key, post)
        new = self._ask(scorer, unseen)
        results = [
            self._result(scorer, post, text) for text, post in zip(hashes, posts, strict=True)
        ]
        return Found(results, new, known)

    def _look_up(self, model_sha256: str, hashes: set[str]) -> int:
        if self._known is None:
            return 0
        found = self._known.of(model_sha256, hashes)
        self._texts.update(found)
        return len(found)

    def _ask(
        self, scorer: AnyScorer, unseen: dict[tuple[str, str | None], Post]
    ) -> list[TextScore]:
        new = []
        waiting = list(unseen.items())
        for begin in range(0, len(waiting), BATCH_POSTS):
            part = waiting[begin : begin + BATCH_POSTS]
            batch = score_batch(scorer, [post for _, post in part])
            for (key, _), result in zip(part, batch, strict=True):
                if isinstance(result, Reject):
                    self._verdicts[key] = result
                    continue
                self._verdicts[key] = result.scores
                if result.toxicity is not None and key[0] not in self._texts:
                    self._texts[key[0]] = result.scores
                    new.append(TextScore(key[0], result.model_sha256, *result.scores))
        return new

    def _result(self, scorer: AnyScorer, post: Post, text: str) -> ScoredPost | Reject:
        verdict = self._verdicts[text, post.lang]
        if isinstance(verdict, Reject):
            return verdict._replace(payload=payload_of(post), post_id=post.post_id)
        return scored(post, verdict, scorer)


class ScoreTexts(beam.DoFn):
    """Holds posts until there are HELD_POSTS or the bundle ends. Each keeps the timestamp and
    window it came with.

    Counts `texts_scored` (by the model) and `texts_known` (by the warehouse).
    """

    def __init__(self, model: ModelKey, known: Known | None) -> None:
        self._model = model
        self._known = known
        self._posts: list[tuple[Post, Timestamp, Any]] = []
        self._scored = counter("posts_scored")
        self._unscored = counter("posts_unscored")
        self._dead = counter("dead_letters")
        self._texts = counter("texts_scored")
        self._texts_known = counter("texts_known")
        self._batch_size = distribution("batch_posts")
        self._batch_ms = distribution("batch_ms")

    def setup(self) -> None:
        self._shared = shared_model(self._model)

    def start_bundle(self) -> None:
        self._posts = []
        self._memory = TextMemory(self._known)

    def process(
        self,
        post: Post,
        timestamp: Any = beam.DoFn.TimestampParam,
        window: Any = beam.DoFn.WindowParam,
    ) -> Iterator[WindowedValue | TaggedOutput]:
        self._posts.append((post, timestamp, window))
        if len(self._posts) >= HELD_POSTS:
            yield from self._flush()

    def finish_bundle(self) -> Iterator[WindowedValue | TaggedOutput]:
        yield from self._flush()

    def _flush(self) -> Iterator[WindowedValue | TaggedOutput]:
        if not self._posts:
            return
        held, self._posts = self._posts, []
        scorer, _ = self._shared.watched.current()
        began = time.perf_counter()
        found = self._memory.score(scorer, [post for post, _, _ in held])
        self._batch_size.update(len(held))
        self._batch_ms.update(int((time.perf_counter() - began) * 1000))
        self._texts.inc(len(found.new))
        self._texts_known.inc(found.known)
        for (post, timestamp, window), result in zip(held, found.results, strict=True):
            if isinstance(result, Reject):
                self._dead.inc()
                origin = f"{post.topic}/{post.post_id}"
                letter = dead_letter(result, "score", origin, 0, now_micros())
                yield TaggedOutput(DEAD, WindowedValue(letter, timestamp, (window,)))
                continue
            (self._unscored if result.scores == UNSCORED else self._scored).inc()
            yield WindowedValue(result, timestamp, (window,))
        _, timestamp, window = held[0]
        for text_score in found.new:
            yield TaggedOutput(TEXT_SCORES, WindowedValue(text_score, timestamp, (window,)))


def keyed(post: Post) -> tuple[str, Post]:
    return shard_of(post), post


def ungrouped(group: tuple[str, Iterable[Post]]) -> Iterator[TimestampedValue]:
    for post in group[1]:
        yield TimestampedValue(post, Timestamp(micros=post.created_at))


class SpreadByText(beam.PTransform):
    """PCollection[Post] in hours -> the same, with all copies of a text in one bundle.

    In the global window, for a text is one whatever the hours of its posts.
    """

    def expand(self, posts: beam.PCollection[Post]) -> beam.PCollection[Post]:
        return (
            posts
            | "IntoOneWindow" >> beam.WindowInto(GlobalWindows())
            | "KeyByText" >> beam.Map(keyed).with_output_types(tuple[str, Post])
            | "GroupByText" >> beam.GroupByKey()
            | "Posts" >> beam.FlatMap(ungrouped).with_output_types(Post)
            | "BackIntoHours" >> IntoHours()
        )


@dataclass(eq=False)
class ScoreOnce(beam.PTransform):
    """PCollection[Post] in hours -> `scored_posts`: ScoredPost, `text_scores`: TextScore (those
    that the model gave now), `dead_letters`.

    `spread`: among workers, by the text; else the posts stay in the worker where they are. `known`
    are scores of earlier runs.
    """

    model: ModelKey
    known: Known | None = None
    spread: bool = False

    def expand(self, posts: beam.PCollection[Post]) -> DoOutputsTuple:
        if self.spread:
            posts = posts | "Spread" >> SpreadByText()
        results = posts | "Texts" >> beam.ParDo(ScoreTexts(self.model, self.known)).with_outputs(
            TEXT_SCORES, DEAD, main=SCORED
        )
        results[DEAD].element_type = DeadLetter
        return results
