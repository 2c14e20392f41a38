"""The model of this process.

Local runners call `setup` for every bundle of elements, and Dataflow has many threads, so a session
held by a DoFn would be loaded again and again.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import NamedTuple

from mltox.posts.envelope import Reject
from mltox.posts.records import Post, ScoredPost
from mltox.scoring.scale.maps import MODEL_SCALE
from mltox.scoring.watched import WatchedScorer
from pipelines.transforms.gather import Gather

BATCH_POSTS = 512
"""Enough to sort by length and find repeated texts; the scorer makes its own small batches."""


class ModelKey(NamedTuple):
    """`batch_wait` and `watch_seconds` are seconds, `threads` those of one inference (0: a core
    each)."""

    bundle: str
    threads: int = 0
    watch_seconds: float = 0
    batch_wait: float = 0
    scale: str = MODEL_SCALE
    """What scores are given on: `model` or `perspective`."""


@dataclass(frozen=True)
class SharedModel:
    """A scorer, and where the threads that carry posts to it meet."""

    watched: WatchedScorer
    gather: Gather[Post, ScoredPost | Reject]


_lock = threading.Lock()
_loaded: tuple[ModelKey, SharedModel] | None = None


def shared_model(key: ModelKey) -> SharedModel:
    """Loads it, and lets go of another, where it is not the one at work. Raises BundleError."""
    global _loaded
    with _lock:
        if _loaded is None or _loaded[0] != key:
            _loaded = None  # two sessions at once might not fit
            watched = WatchedScorer(key.bundle, key.threads, key.watch_seconds, key.scale)
            _loaded = key, SharedModel(watched, Gather(BATCH_POSTS, key.batch_wait))
        return _loaded[1]
