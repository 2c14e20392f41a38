"""Posts of a bounded input in, scored posts out, with each distinct text scored once.

    posts ─ spread by their text's hash ─ hold ─ texts not seen ─ known of before? ─ model

Copies of a text meet in one worker, since the hash decides which; in a run of one process they do
anyway. What the same model has said of a text in an earlier run is looked up and not asked again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import apache_beam as beam
from apache_beam.pvalue import DoOutputsTuple
from apache_beam.transforms.window import GlobalWindows, TimestampedValue
from apache_beam.utils.timestamp import Timestamp
from cachetools import LRUCache

from mltox.posts.envelope import Reject
from mltox.posts.letters import payload_of
from mltox.posts.records import UNSCORED, DeadLetter, Post, ScoredPost, Scores, TextScore
from mltox.scoring.scale.scaled import AnyScorer
from pipelines.transforms.known import Known
from pipelines.transforms.metrics import counter
from pipelines.transforms.model import BATCH_POSTS, ModelKey
from pipelines.transforms.parse import DEAD
from pipelines.transforms.score import (
    SCORED,
    TEXT_SCORES,
    AnsweredPosts,
    score_batch,
    scored,
    text_sha256,
)
from pipelines.transforms.window import IntoHours

HELD_POSTS = 20_000
"""Posts whose texts are looked up at once: a look costs the same for one text and for many."""
REMEMBERED = 50_000
"""Texts whose scores a bundle keeps for its next posts."""
SHARD_DIGITS = 3
"""Hex digits of the hash by which posts are spread: 4,096 shards."""


Key = tuple[str, str | None]
"""A text's hash and its language: in another the same text may be unscored."""


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
        self._verdicts: LRUCache[Key, Scores | Reject] = LRUCache(REMEMBERED)

    def score(self, scorer: AnyScorer, posts: Sequence[Post]) -> Found:
        """At most HELD_POSTS posts. Raises ModelError, and WarehouseError where known scores
        cannot be read."""
        keys = [(text_sha256(post.text), post.lang) for post in posts]
        # Of the call's own, for the caches may let go of an entry before the last post is reached.
        texts, known = self._look_up(scorer.model_sha256, {text for text, _ in keys})
        verdicts: dict[Key, Scores | Reject] = {}
        unseen: dict[Key, Post] = {}
        for key, post in zip(keys, posts, strict=True):
            if key in verdicts:
                continue
            if (verdict := self._verdicts.get(key)) is not None:
                verdicts[key] = verdict
            elif key[0] in texts:
                reads = scorer.reads(post.text, post.lang)
                verdicts[key] = texts[key[0]] if reads else UNSCORED
            else:
                unseen.setdefault(key, post)
        answers, new = self._ask(scorer, unseen)
        verdicts |= answers
        self._verdicts.update(verdicts)
        results = [
            result_of(scorer, post, verdicts[key]) for key, post in zip(keys, posts, strict=True)
        ]
        return Found(results, new, known)

    def _look_up(self, model_sha256: str, hashes: set[str]) -> tuple[dict[str, Scores], int]:
        """The scores of those texts that have any, and how many of them the warehouse gave."""
        texts = {each: scores for each in hashes if (scores := self._texts.get(each)) is not None}
        if self._known is None:
            return texts, 0
        found = self._known.of(model_sha256, hashes - texts.keys())
        self._texts.update(found)
        return {**texts, **found}, len(found)

    def _ask(
        self, scorer: AnyScorer, unseen: dict[Key, Post]
    ) -> tuple[dict[Key, Scores | Reject], list[TextScore]]:
        answers: dict[Key, Scores | Reject] = {}
        new: dict[str, TextScore] = {}
        waiting = list(unseen.items())
        for begin in range(0, len(waiting), BATCH_POSTS):
            part = waiting[begin : begin + BATCH_POSTS]
            batch = score_batch(scorer, [post for _, post in part])
            for (key, _), result in zip(part, batch, strict=True):
                if isinstance(result, Reject):
                    answers[key] = result
                    continue
                answers[key] = result.scores
                if result.toxicity is not None and key[0] not in new:
                    self._texts[key[0]] = result.scores
                    new[key[0]] = TextScore(key[0], result.model_sha256, *result.scores)
        return answers, list(new.values())


def result_of(scorer: AnyScorer, post: Post, verdict: Scores | Reject) -> ScoredPost | Reject:
    if isinstance(verdict, Reject):
        return verdict._replace(payload=payload_of(post), post_id=post.post_id)
    return scored(post, verdict, scorer)


class ScoreTexts(AnsweredPosts):
    """Counts `texts_scored` (by the model) and `texts_known` (by the warehouse)."""

    def __init__(self, model: ModelKey, known: Known | None) -> None:
        super().__init__(model, HELD_POSTS)
        self._known = known
        self._texts = counter("texts_scored")
        self._texts_known = counter("texts_known")

    def start_bundle(self) -> None:
        super().start_bundle()
        self._memory = TextMemory(self._known)

    def answers(
        self, posts: Sequence[Post]
    ) -> tuple[Sequence[ScoredPost | Reject], Sequence[TextScore]]:
        scorer, _ = self._shared.watched.current()
        found = self._timed(posts, lambda: self._memory.score(scorer, posts))
        self._texts.inc(len(found.new))
        self._texts_known.inc(found.known)
        return found.results, found.new


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
