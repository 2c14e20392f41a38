"""What goes over Pub/Sub: the payload, and the attributes by which others can tell messages apart.

| attribute | of a post | of a reject | of a deletion |
|---|---|---|---|
| post_id | its id; Dataflow takes duplicates by it | `reject:` and a hash | id of the post |
| created_at | RFC 3339; its event time | when it was read | – |
| source | its network | the source that was read | its network |
| topic | the first of its topics | – | – |
| schema | version of the payload | the same | the same |
| letter_id | – | id that its dead letter will have | – |

An attribute has one value and filters of subscriptions compare it whole, so `topic` is the first
topic alone; the payload has them all.
"""

from __future__ import annotations

import hashlib

from mltox.base.clock import rfc3339
from mltox.google.pubsub.messages import Outgoing
from mltox.posts.attributes import CREATED_AT, LETTER_ID, POST_ID
from mltox.posts.authors import AuthorKeys
from mltox.posts.envelope import SCHEMA, Envelope, Reject, encode, encode_deletion
from mltox.posts.formats.own import notice
from mltox.posts.records import Micros


def post_message(topic: str, envelope: Envelope) -> Outgoing:
    attributes = {
        POST_ID: envelope.post_id,
        CREATED_AT: rfc3339(envelope.created_at),
        "source": envelope.source,
        "schema": str(SCHEMA),
    }
    if envelope.topics:
        attributes["topic"] = envelope.topics[0]
    return Outgoing(topic, encode(envelope), attributes)


def letter_id_of(payload: bytes, index: int, source: str, authors: AuthorKeys) -> str:
    """The same content of a source is the same letter, however often it is read: after a restart it
    comes again. It is the whole content that tells letters apart, for what a letter keeps of it may
    be the same of many; under the key of authors, so that nobody guesses who was in it."""
    return authors.key(f"letter of {source}", f"{index} {hashlib.sha256(payload).hexdigest()}")


def reject_message(
    topic: str, reject: Reject, source: str, now: Micros, letter_id: str | None = None
) -> Outgoing:
    """What was no usable post, for the pipeline's dead letters. Without a `letter_id` it follows
    from what the letter keeps."""
    data = notice(reject.error_type, reject.message, reject.payload, reject.post_id)
    letter_id = letter_id or hashlib.sha256(f"{source}\0".encode() + data).hexdigest()[:32]
    attributes = {
        POST_ID: f"reject:{letter_id}",
        CREATED_AT: rfc3339(now),
        "source": source,
        "schema": str(SCHEMA),
        LETTER_ID: letter_id,
    }
    return Outgoing(topic, data, attributes)


def deletion_message(topic: str, post_id: str) -> Outgoing:
    """What `mltox forget` reads."""
    attributes = {POST_ID: post_id, "source": post_id.partition(":")[0], "schema": str(SCHEMA)}
    return Outgoing(topic, encode_deletion(post_id), attributes)
