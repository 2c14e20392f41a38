"""Which posts lie far outside the time that their topic is about.

`created_at` is the author's own word on some networks, and one post that says the year 2000 would
open an hour of its own, and have a topic's memory decay over a quarter of a century.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median_low

from mltox.posts.records import Micros


class Spans:
    """The newest hour of each topic, and how far from it a post may be.

    A post is far out if it is more than `most` from its topic's newest one and from now, both. A
    topic without posts is taken to be about the time of most of its first ones, so that an old
    collection may be replayed, and one stray post among them does not shut out the others. Not even
    many strays move what is allowed into the past, for the newest post alone counts.

    >>> from mltox.posts.records import DAY
    >>> spans = Spans(365 * DAY, {"votes": 20_000 * DAY})
    >>> spans.far_out("votes", [20_001 * DAY, 11_000 * DAY], now=20_002 * DAY)
    [False, True]
    """

    def __init__(self, most: Micros, newest: Mapping[str, Micros]) -> None:
        """`most` of 0 lets every post pass."""
        self._most = most
        self._newest = dict(newest)

    @property
    def most(self) -> Micros:
        return self._most

    def far_out(self, topic: str, stamps: Sequence[Micros], now: Micros) -> list[bool]:
        """Of each stamp (created_at) of a topic's posts, whether it is far out; learns the rest."""
        if not self._most or not stamps:
            return [False] * len(stamps)
        near = self._newest.get(topic, median_low(stamps))
        far = [min(abs(at - near), abs(at - now)) > self._most for at in stamps]
        taken = [at for at, out in zip(stamps, far, strict=True) if not out]
        if taken:
            self._newest[topic] = max(self._newest.get(topic, 0), *taken)
        return far
