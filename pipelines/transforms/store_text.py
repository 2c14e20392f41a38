"""Takes out of the rows what the run was told not to keep. The last step before the tables."""

from __future__ import annotations

from mltox.posts.records import DeadLetter, ScoredPost
from pipelines.options import StoreText

WITHHELD = "[not stored]"


def post_to_store(post: ScoredPost, store: StoreText) -> ScoredPost:
    """`hashed` keeps the SHA-256, by which texts can be joined; `none` drops that too, since the
    hash of a known text gives the text away."""
    if store == StoreText.FULL:
        return post
    if store == StoreText.HASHED:
        return post._replace(text=None)
    return post._replace(text=None, text_sha256="")


def letter_to_store(letter: DeadLetter, store: StoreText) -> DeadLetter:
    """A payload is a post's text as much as the text column is."""
    return letter if store == StoreText.FULL else letter._replace(payload=WITHHELD)
