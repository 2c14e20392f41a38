"""Posts that the tables hold already, left out before they are scored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.utils.windowed_value import WindowedValue

from mltox.posts.records import Post
from pipelines.held import Held
from pipelines.transforms.metrics import counter
from pipelines.transforms.turn_state import TurnState

BATCH_POSTS = 5_000


class DropKnownPosts(beam.DoFn):
    """Asks the state about a bundle of posts at a time. Counts `duplicates`."""

    def __init__(self, state: Held[TurnState]) -> None:
        self._state = state
        self._held: list[WindowedValue] = []
        self._duplicates = counter("duplicates")

    def start_bundle(self) -> None:
        self._held = []

    def process(
        self,
        post: Post,
        timestamp: Any = beam.DoFn.TimestampParam,
        window: Any = beam.DoFn.WindowParam,
    ) -> Iterator[WindowedValue]:
        self._held.append(WindowedValue(post, timestamp, (window,)))
        if len(self._held) >= BATCH_POSTS:
            yield from self._flush()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        yield from self._flush()

    def _flush(self) -> Iterator[WindowedValue]:
        if not self._held:
            return
        held, self._held = self._held, []
        keys = {(item.value.topic, item.value.post_id) for item in held}
        known = self._state.value.known(keys)
        for item in held:
            if (item.value.topic, item.value.post_id) in known:
                self._duplicates.inc()
            else:
                yield item


@dataclass(eq=False)
class DropKnown(beam.PTransform):
    """PCollection[Post] -> the posts that are new."""

    state: Held[TurnState]

    def expand(self, posts: beam.PCollection[Post]) -> beam.PCollection[Post]:
        return posts | "AskLedger" >> beam.ParDo(DropKnownPosts(self.state)).with_output_types(Post)
