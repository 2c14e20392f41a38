"""Dead letters: their ids, their payloads, and how one that is put back is known again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from mltox.posts.attributes import LETTER_ID
from mltox.posts.envelope import Envelope, Reject, encode
from mltox.posts.records import DeadLetter, Micros, Post

REPLAYED = "letter:"
"""Begins the origin of a message that was a dead letter."""


def origin_of(message_id: str, attributes: Mapping[str, str] | None) -> str:
    """Where a message of Pub/Sub came from. A letter that was put back is not a new message each
    time: it has its letter's id as an attribute."""
    replayed = (attributes or {}).get(LETTER_ID)
    return f"{REPLAYED}{replayed}" if replayed else f"pubsub:{message_id}"


def place_of(origin: str) -> str:
    """Where in which file a message is from, as `folder/file:line`; nothing for what is no file's.

    >>> place_of("/data/2019/part-0:7"), place_of("pubsub:5")
    ('2019/part-0:7', '')
    """
    is_path = not origin.startswith(REPLAYED) and "/" in origin
    return "/".join(origin.split("/")[-2:]) if is_path else ""


def letter_id(stage: str, origin: str, index: int) -> str:
    """The same place of the same input gives the same letter on every run. A letter that was put
    back and is refused again stays the letter that it was."""
    if origin.startswith(REPLAYED) and index == 0:
        return origin.removeprefix(REPLAYED)
    return hashlib.sha256(f"{stage}\0{origin}\0{index}".encode()).hexdigest()[:32]


def payload_of(post: Post) -> str:
    """The whole post as an envelope, for the payload of its dead letter: it can be put back."""
    envelope = Envelope(
        post_id=post.post_id,
        source=post.source,
        text=post.text,
        created_at=post.created_at,
        lang=post.lang,
        author_key=post.author_key,
        topics=(post.topic,),
    )
    return encode(envelope).decode()


def dead_letter(reject: Reject, stage: str, origin: str, index: int, seen_at: Micros) -> DeadLetter:
    return DeadLetter(
        letter_id=letter_id(stage, origin, index),
        stage=stage,
        error_type=reject.error_type,
        message=f"{place}: {reject.message}" if (place := place_of(origin)) else reject.message,
        payload=reject.payload,
        post_id=reject.post_id,
        seen_at=seen_at,
    )
