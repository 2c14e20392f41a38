"""Posts that repeat each other are not independent: what so many of them are worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mltox.posts.records import EvidencePost

CASCADE = 0.25
"""The chance that two posts of the hour have one text, from which an hour is a cascade. Below it
the scatter that a detector has learnt holds the design effect already."""


def effective_posts(posts: float, sample: Sequence[EvidencePost]) -> float:
    """The number of independent posts that tell as much as the hour's (Kish's design effect).

    `sample` is uniform over the hour's posts. 500 copies of one text are one post.

    >>> copies = [EvidencePost(f"x:{i}", "the same", 0.9) for i in range(40)]
    >>> effective_posts(500.0, copies)
    1.0
    >>> effective_posts(500.0, [EvidencePost(f"x:{i}", f"text {i}", 0.1) for i in range(40)])
    500.0
    """
    drawn = len(sample)
    if drawn < 2:
        return posts
    texts = Counter(post.text for post in sample)
    same = sum(n * (n - 1) for n in texts.values()) / (drawn * (drawn - 1))
    return posts if same < CASCADE else min(posts, 1.0 / same)
