"""What the graph needs to know, whatever carries it."""

from __future__ import annotations

from dataclasses import dataclass

from mltox.posts.authors import AuthorKeys
from mltox.posts.topics import TopicMatcher
from mltox.scoring.scale.maps import MODEL_SCALE
from pipelines.options import StoreText
from pipelines.transforms.model import ModelKey


@dataclass(frozen=True)
class Settings:
    """Can be pickled.

    `default_topic` takes the posts that no topic matches; None leaves them out. `threshold` is the
    toxicity from which a post counts as toxic. `watch_bundle`: how often a stage looks for a new
    model bundle, in seconds (0: never). `scale` is what scores and threshold are on.
    `false_alarms_per_month`: incidents that a normal topic may give for nothing.
    """

    matcher: TopicMatcher
    authors: AuthorKeys
    bundle: str
    threshold: float
    default_topic: str | None = None
    model_threads: int = 0
    watch_bundle: float = 0
    store_text: StoreText = StoreText.FULL
    scale: str = MODEL_SCALE
    false_alarms_per_month: float = 1.0

    def model(self, batch_wait: float = 0) -> ModelKey:
        return ModelKey(self.bundle, self.model_threads, self.watch_bundle, batch_wait, self.scale)
