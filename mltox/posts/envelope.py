"""The post as it travels from any source into the pipelines.

An `Envelope` is what a source yields and what a Pub/Sub message carries; a `Reject` is a message
that holds no usable post, with the reason. Both hold only valid Unicode, so that every store and
page can take them.
"""

from __future__ import annotations

from typing import NamedTuple

import orjson

from mltox.posts.records import Micros

SCHEMA = 1
"""Version of the JSON that `encode` writes, in its field `schema`."""

DELETION = "deletion"
"""The `error_type` of a Reject that says that its post is gone at the source."""


class Envelope(NamedTuple):
    """One post.

    `post_id` is `source:native id`, `author_key` a keyed hash (never a raw author id), `lang` a
    lower-case ISO 639 code or None where unknown. `topics` are those that the source itself named,
    most often none.
    """

    post_id: str
    source: str
    text: str
    created_at: Micros
    lang: str | None
    author_key: str | None
    topics: tuple[str, ...]


class Reject(NamedTuple):
    """A message, or a part of one, that holds no usable post.

    `payload` is at most 10,000 characters, with author ids and names removed.
    """

    error_type: str
    message: str
    payload: str
    post_id: str | None


def encode(envelope: Envelope) -> bytes:
    """Returns the envelope as JSON in UTF-8: its fields by name, and `"schema": 1`."""
    return orjson.dumps({"schema": SCHEMA, **envelope._asdict()})


def encode_deletion(post_id: str) -> bytes:
    """Returns the JSON of a deletion, which `decode` reads as a Reject of type DELETION."""
    return orjson.dumps({"schema": SCHEMA, "deleted": post_id})
