"""Posts that are not for a live run: those that its tables hold, and those of another time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam
from apache_beam.pvalue import DoOutputsTuple, TaggedOutput
from apache_beam.utils.windowed_value import WindowedValue

from mltox.base.clock import now_micros
from mltox.posts.letters import letter_id, payload_of
from mltox.posts.records import DeadLetter, Micros, Post
from pipelines.held import Held
from pipelines.transforms.in_batches import InBatches
from pipelines.transforms.metrics import counter
from pipelines.transforms.parse import DEAD, POSTS_TAG
from pipelines.transforms.turn_state import TurnState

POSTS_ASKED_AT_ONCE = 5_000
STAGE, OUTSIDE = "window", "outside_span"


class DropKnownPosts(InBatches):
    """Asks the state about some posts at a time.

    Counts `duplicates`, and as `outside_span` and `dead_letters` the posts far outside their
    topic's own time: they are put aside whole, and nothing is learnt from them.
    """

    def __init__(self, state: Held[TurnState]) -> None:
        super().__init__(POSTS_ASKED_AT_ONCE)
        self._state = state
        self._duplicates = counter("duplicates")
        self._outside = counter("outside_span")
        self._dead = counter("dead_letters")

    def work(self, held: Sequence[WindowedValue]) -> Iterator[WindowedValue | TaggedOutput]:
        keys = {(item.value.topic, item.value.post_id) for item in held}
        known = self._state.value.known(keys)
        new: dict[str, list[WindowedValue]] = {}
        for item in held:
            if (item.value.topic, item.value.post_id) in known:
                self._duplicates.inc()
            else:
                new.setdefault(item.value.topic, []).append(item)
        for topic, items in new.items():
            far = self._state.value.far_out(topic, [item.value.created_at for item in items])
            for item, is_far in zip(items, far, strict=True):
                if is_far:
                    self._outside.inc()
                    self._dead.inc()
                    letter = outside_letter(item.value, now_micros())
                    yield TaggedOutput(DEAD, item.with_value(letter))
                else:
                    yield item


def outside_letter(post: Post, seen_at: Micros) -> DeadLetter:
    """The payload is the whole post as an envelope, so that a wider span can still take it."""
    return DeadLetter(
        letter_id=letter_id(STAGE, f"{post.topic}/{post.post_id}", 0),
        stage=STAGE,
        error_type=OUTSIDE,
        message="the post is further from its topic's newest post, and from now, than --span-days",
        payload=payload_of(post),
        post_id=post.post_id,
        seen_at=seen_at,
    )


@dataclass(eq=False)
class DropKnown(beam.PTransform):
    """PCollection[Post] -> `posts`: those that are new and of their topic's time, `dead_letters`:
    DeadLetter."""

    state: Held[TurnState]

    def expand(self, posts: beam.PCollection[Post]) -> DoOutputsTuple:
        split = posts | "AskLedger" >> beam.ParDo(DropKnownPosts(self.state)).with_outputs(
            DEAD, main=POSTS_TAG
        )
        split[POSTS_TAG].element_type, split[DEAD].element_type = Post, DeadLetter
        return split
