"""A post of the sample before it takes the shape of a network."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from ingest.sources.sample.texts import HANDLE_FIRST, HANDLE_SECOND
from mltox.posts.records import Micros


class Author(NamedTuple):
    """An invented account."""

    number: int
    handle: str


class SamplePost(NamedTuple):
    """A post. `topic` is None off topic; `original` is set for a retweet or boost."""

    number: int
    created_at: Micros
    network: str
    author: Author
    text: str
    lang: str | None
    topic: str | None
    original: SamplePost | None = None


def make_authors(count: int, rng: Random) -> list[Author]:
    """Returns invented accounts with distinct numbers; the handles look like people's."""
    return [
        Author(rng.randrange(10**8, 10**10) * 10_000 + index, _handle(rng))
        for index in range(count)
    ]


def _handle(rng: Random) -> str:
    digits = str(rng.randrange(1, 99)) if rng.random() < 0.6 else ""
    return f"{rng.choice(HANDLE_FIRST)}_{rng.choice(HANDLE_SECOND)}{digits}"
