"""Posts in, scored posts out, batched across windows and bundles and each left in its window."""

from __future__ import annotations

import hashlib
import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import apache_beam as beam
from apache_beam.pvalue import DoOutputsTuple, TaggedOutput
from apache_beam.utils.windowed_value import WindowedValue

from mltox.base.clock import now_micros
from mltox.base.errors import UserError
from mltox.posts.envelope import Reject
from mltox.posts.letters import dead_letter, payload_of
from mltox.posts.records import UNSCORED, DeadLetter, Post, ScoredPost, Scores, TextScore
from mltox.scoring.scale.scaled import AnyScorer
from mltox.scoring.watched import BundleNews
from pipelines.transforms.in_batches import InBatches
from pipelines.transforms.metrics import counter, distribution
from pipelines.transforms.model import BATCH_POSTS, ModelKey, shared_model
from pipelines.transforms.parse import DEAD
from pipelines.transforms.salvage import salvaged

log = logging.getLogger(__name__)

SCORED = "scored_posts"
TEXT_SCORES = "text_scores"

Answered = TypeVar("Answered")


class ModelError(UserError):
    """The model fails whatever it is given; one line for a person."""


def text_sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def scored(post: Post, scores: Scores, scorer: AnyScorer) -> ScoredPost:
    return ScoredPost(
        post.topic,
        post.post_id,
        post.source,
        post.author_key,
        post.text,
        text_sha256(post.text),
        post.lang,
        post.created_at,
        post.ingested_at,
        now_micros(),
        scorer.model,
        scorer.model_sha256,
        *scores,
    )


def scores_of(scorer: AnyScorer, texts: Sequence[str], langs: Sequence[str | None]) -> list[Scores]:
    """Raises ValueError for what is no probability, and whatever the model raises."""
    found = scorer.score(texts, langs)
    if len(found) != len(texts):
        raise ValueError(f"the model gave {len(found)} scores for {len(texts)} texts")
    if any(value is not None and not math.isfinite(value) for scores in found for value in scores):
        raise ValueError("the model gave a score that is no number")
    return found


def score_batch(scorer: AnyScorer, posts: Sequence[Post]) -> list[ScoredPost | Reject]:
    """Scores in the order of the posts. A post on which the model fails becomes a Reject and takes
    no other post with it.

    Raises ModelError where the model fails on anything (no memory on the device, a driver that is
    gone): no post is at fault, and their texts may be stored nowhere else. On Dataflow the bundle
    comes again until somebody mends it, a local live run tries its turn again, a backfill ends with
    one line.
    """

    def work(part: Sequence[Post]) -> list[Scores]:
        return scores_of(scorer, [post.text for post in part], [post.lang for post in part])

    def probe() -> None:
        # A text that it has not seen: scores of recent ones are remembered.
        scores_of(scorer, [f"good morning {time.time_ns()}"], [None])

    try:
        results = salvaged(posts, work, probe)
    except Exception as error:  # of the probe: its message quotes nobody
        reason = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0][:300]}"
        log.error("the model fails on any text (%s); %d posts wait", reason, len(posts))
        raise ModelError(f"{scorer.model} fails on any text ({reason})") from error
    return [
        rejected(post, result) if isinstance(result, Exception) else scored(post, result, scorer)
        for post, result in zip(posts, results, strict=True)
    ]


def rejected(post: Post, error: Exception) -> Reject:
    reason = f"{type(error).__name__}: {error}"
    return Reject("scoring_failed", reason[:500], payload_of(post), post.post_id)


def text_scores(batch: Sequence[ScoredPost | Reject]) -> list[TextScore]:
    """Each distinct scored text of the batch, once."""
    distinct = {
        post.text_sha256: TextScore(post.text_sha256, post.model_sha256, *post.scores)
        for post in batch
        if isinstance(post, ScoredPost) and post.toxicity is not None
    }
    return list(distinct.values())


class AnsweredPosts(InBatches):
    """Posts with what `answers` says of them: scores, or why there are none."""

    def __init__(self, model: ModelKey, most: int) -> None:
        super().__init__(most)
        self._model = model
        self._scored = counter("posts_scored")
        self._unscored = counter("posts_unscored")
        self._dead = counter("dead_letters")
        self._batch_size = distribution("batch_posts")
        self._batch_ms = distribution("batch_ms")

    def setup(self) -> None:
        self._shared = shared_model(self._model)

    def answers(
        self, posts: Sequence[Post]
    ) -> tuple[Sequence[ScoredPost | Reject], Sequence[TextScore]]:
        """A result for each post, in order, and the scores of texts to be stored."""
        raise NotImplementedError

    def work(self, held: Sequence[WindowedValue]) -> Iterator[WindowedValue | TaggedOutput]:
        results, new = self.answers([item.value for item in held])
        for item, result in zip(held, results, strict=True):
            if isinstance(result, Reject):
                self._dead.inc()
                origin = f"{item.value.topic}/{item.value.post_id}"
                letter = dead_letter(result, "score", origin, 0, now_micros())
                yield TaggedOutput(DEAD, item.with_value(letter))
                continue
            (self._unscored if result.scores == UNSCORED else self._scored).inc()
            yield item.with_value(result)
        for text_score in new:
            yield TaggedOutput(TEXT_SCORES, held[0].with_value(text_score))

    def _timed(self, posts: Sequence[Post], scoring: Callable[[], Answered]) -> Answered:
        began = time.perf_counter()
        answered = scoring()
        self._batch_size.update(len(posts))
        self._batch_ms.update(int((time.perf_counter() - began) * 1000))
        return answered


class ScorePosts(AnsweredPosts):
    """Waits `batch_wait` with a batch for the posts of other bundles that this process works on."""

    def __init__(self, model: ModelKey) -> None:
        super().__init__(model, BATCH_POSTS)
        self._changes = {
            BundleNews.SWAPPED: counter("models_swapped"),
            BundleNews.REFUSED: counter("models_refused"),
        }

    def answers(
        self, posts: Sequence[Post]
    ) -> tuple[Sequence[ScoredPost | Reject], Sequence[TextScore]]:
        batch = self._shared.gather(list(posts), self._score)
        return batch, text_scores(batch)

    def _score(self, posts: Sequence[Post]) -> list[ScoredPost | Reject]:
        scorer, change = self._shared.watched.current()
        if change in self._changes:
            self._changes[change].inc()
        return self._timed(posts, lambda: score_batch(scorer, posts))


@dataclass(eq=False)
class Score(beam.PTransform):
    """PCollection[Post] -> `scored_posts`: ScoredPost, `text_scores`: TextScore, `dead_letters`."""

    model: ModelKey

    def expand(self, posts: beam.PCollection[Post]) -> DoOutputsTuple:
        results = posts | "Batch" >> beam.ParDo(ScorePosts(self.model)).with_outputs(
            TEXT_SCORES, DEAD, main=SCORED
        )
        results[DEAD].element_type = DeadLetter
        return results
