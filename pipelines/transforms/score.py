"""Posts in, scored posts out, batched across windows and bundles and each left in its window."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import DoOutputsTuple, TaggedOutput
from apache_beam.utils.timestamp import Timestamp
from apache_beam.utils.windowed_value import WindowedValue

from mltox.posts.envelope import Reject
from mltox.posts.records import UNSCORED, DeadLetter, Post, ScoredPost, Scores, TextScore
from mltox.scoring import Scorer
from mltox.scoring.watched import Change, WatchedScorer
from pipelines.transforms.gather import Gather
from pipelines.transforms.metrics import counter, distribution
from pipelines.transforms.parse import DEAD, dead_letter, now_micros, payload_of

SCORED = "scored_posts"
TEXT_SCORES = "text_scores"
BATCH_POSTS = 512
"""Enough to sort by length and find repeated texts; the scorer makes its own small batches."""

_scorers: dict[tuple[str, int, float], WatchedScorer] = {}
_gathers: dict[tuple[str, int, float, float], Gather[Post, ScoredPost | Reject]] = {}
_lock = threading.Lock()


def shared_scorer(bundle: str, threads: int, watch_seconds: float) -> WatchedScorer:
    """One ONNX session a process. Local runners call `setup` for every bundle of elements, so a
    session held by the DoFn itself would be loaded again and again."""
    with _lock:
        key = (bundle, threads, watch_seconds)
        if key not in _scorers:
            _scorers[key] = WatchedScorer(bundle, threads, watch_seconds)
        return _scorers[key]


def shared_gather(
    bundle: str, threads: int, watch_seconds: float, wait: float
) -> Gather[Post, ScoredPost | Reject]:
    """One a process and scorer, where the threads that carry its bundles meet."""
    with _lock:
        return _gathers.setdefault(
            (bundle, threads, watch_seconds, wait), Gather(BATCH_POSTS, wait)
        )


def text_sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def scored(post: Post, scores: Scores, scorer: Scorer) -> ScoredPost:
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


def score_batch(scorer: Scorer, posts: Sequence[Post]) -> list[ScoredPost | Reject]:
    """Scores in the order of the posts. A post on which the model fails becomes a Reject and takes
    no other post with it."""
    try:
        return [
            scored(post, scores, scorer)
            for post, scores in zip(
                posts,
                scorer.score([post.text for post in posts], [post.lang for post in posts]),
                strict=True,
            )
        ]
    except Exception as error:
        if len(posts) == 1:
            post = posts[0]
            reason = f"{type(error).__name__}: {error}"
            return [Reject("scoring_failed", reason[:500], payload_of(post), post.post_id)]
        return [result for post in posts for result in score_batch(scorer, [post])]


def text_scores(batch: Sequence[ScoredPost | Reject]) -> list[TextScore]:
    """Each distinct scored text of the batch, once."""
    distinct = {
        post.text_sha256: TextScore(post.text_sha256, post.model_sha256, *post.scores)
        for post in batch
        if isinstance(post, ScoredPost) and post.toxicity is not None
    }
    return list(distinct.values())


class ScorePosts(beam.DoFn):
    """Holds posts until a batch is full or the bundle ends, then waits up to `wait` seconds for the
    posts of other bundles that this process works on.

    Each post keeps the timestamp and window it came with: a batch that spans hours moves none of
    them. (BatchElements would cut the batches at every hour of a quiet topic.) And no bundle ends
    before its posts are scored: the watermark cannot pass a post that waits, as it could one that
    waits in state between two bundles.
    """

    def __init__(self, bundle: str, threads: int, watch_seconds: float, wait: float = 0) -> None:
        self._bundle = bundle
        self._threads = threads
        self._watch_seconds = watch_seconds
        self._wait = wait
        self._posts: list[tuple[Post, Timestamp, Any]] = []
        self._scored = counter("posts_scored")
        self._unscored = counter("posts_unscored")
        self._dead = counter("dead_letters")
        self._changes = {
            Change.SWAPPED: counter("models_swapped"),
            Change.REFUSED: counter("models_refused"),
        }
        self._batch_size = distribution("batch_posts")
        self._batch_ms = distribution("batch_ms")

    def setup(self) -> None:
        model = (self._bundle, self._threads, self._watch_seconds)
        self._watched = shared_scorer(*model)
        self._gather = shared_gather(*model, self._wait)

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
        batch = self._gather([post for post, _, _ in held], self._score)
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
        scorer, change = self._watched.current()
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

    bundle: str
    threads: int = 0
    watch_seconds: float = 0
    wait: float = 0

    def expand(self, posts: beam.PCollection[Post]) -> DoOutputsTuple:
        # The bundles of a bounded run are large, and come one after the other.
        wait = 0 if posts.is_bounded else self.wait
        results = posts | "Batch" >> beam.ParDo(
            ScorePosts(self.bundle, self.threads, self.watch_seconds, wait)
        ).with_outputs(TEXT_SCORES, DEAD, main=SCORED)
        results[DEAD].element_type = DeadLetter
        return results
