"""Posts in, scored posts out, batched across windows and bundles and each left in its window."""

from __future__ import annotations

import hashlib
import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import DoOutputsTuple, TaggedOutput
from apache_beam.utils.timestamp import Timestamp
from apache_beam.utils.windowed_value import WindowedValue

from mltox.base.clock import now_micros
from mltox.base.errors import UserError
from mltox.posts.envelope import Reject
from mltox.posts.letters import dead_letter, payload_of
from mltox.posts.records import UNSCORED, DeadLetter, Post, ScoredPost, Scores, TextScore
from mltox.scoring.scale.scaled import AnyScorer
from mltox.scoring.watched import BundleNews
from pipelines.transforms.metrics import counter, distribution
from pipelines.transforms.model import BATCH_POSTS, ModelKey, shared_model
from pipelines.transforms.parse import DEAD
from pipelines.transforms.salvage import salvaged

log = logging.getLogger(__name__)

SCORED = "scored_posts"
TEXT_SCORES = "text_scores"


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


class ScorePosts(beam.DoFn):
    """Holds posts until a batch is full or the bundle ends, then waits `batch_wait` for the posts
    of other bundles that this process works on.

    Each post keeps the timestamp and window it came with: a batch that spans hours moves none of
    them. (BatchElements would cut the batches at every hour of a quiet topic.) And no bundle ends
    before its posts are scored: the watermark cannot pass a post that waits, as it could one that
    waits in state between two bundles.
    """

    def __init__(self, model: ModelKey) -> None:
        self._model = model
        self._posts: list[tuple[Post, Timestamp, Any]] = []
        self._scored = counter("posts_scored")
        self._unscored = counter("posts_unscored")
        self._dead = counter("dead_letters")
        self._changes = {
            BundleNews.SWAPPED: counter("models_swapped"),
            BundleNews.REFUSED: counter("models_refused"),
        }
        self._batch_size = distribution("batch_posts")
        self._batch_ms = distribution("batch_ms")

    def setup(self) -> None:
        self._shared = shared_model(self._model)

    def start_bundle(self) -> None:
        self._posts = []

    def process(
        self,
        post: Post,
        timestamp: Any = beam.DoFn.TimestampParam,
        window: Any = beam.DoFn.WindowParam,
    ) -> Iterator[WindowedValue | TaggedOutput]:
        self._posts.append((post, timestamp, window))
        if len(self._posts) >= BATCH_POSTS:
            yield from self._flush()

    def finish_bundle(self) -> Iterator[WindowedValue | TaggedOutput]:
        yield from self._flush()

    def _flush(self) -> Iterator[WindowedValue | TaggedOutput]:
        if not self._posts:
            return
        held, self._posts = self._posts, []
        batch = self._shared.gather([post for post, _, _ in held], self._score)
        for (post, timestamp, window), result in zip(held, batch, strict=True):
            if isinstance(result, Reject):
                self._dead.inc()
                letter = dead_letter(
                    result, "score", f"{post.topic}/{post.post_id}", 0, now_micros()
                )
                yield TaggedOutput(DEAD, WindowedValue(letter, timestamp, (window,)))
                continue
            (self._unscored if result.scores == UNSCORED else self._scored).inc()
            yield WindowedValue(result, timestamp, (window,))
        _, timestamp, window = held[0]
        for text_score in text_scores(batch):
            yield TaggedOutput(TEXT_SCORES, WindowedValue(text_score, timestamp, (window,)))

    def _score(self, posts: Sequence[Post]) -> list[ScoredPost | Reject]:
        scorer, change = self._shared.watched.current()
        if change in self._changes:
            self._changes[change].inc()
        began = time.perf_counter()
        batch = score_batch(scorer, posts)
        self._batch_size.update(len(posts))
        self._batch_ms.update(int((time.perf_counter() - began) * 1000))
        return batch


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
