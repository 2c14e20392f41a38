from __future__ import annotations

import orjson

from ingest.messages import deletion_message, post_message, reject_message
from mltox.posts.attributes import CREATED_AT, LETTER_ID, POST_ID
from mltox.posts.authors import AuthorKeys
from mltox.posts.envelope import DELETION, Envelope, Reject
from mltox.posts.formats import decode
from mltox.posts.letters import letter_id, origin_of

NOW = 1_767_225_600_000_000
TOPIC = "projects/p/topics/posts"
POST = Envelope("x:1", "x", "hello", NOW - 1, "en", None, ("a, b", "c"))
REJECT = Reject("empty_text", "the text is empty", '{"id":"2"}', "x:2")


def decoded(data: bytes) -> Envelope | Reject:
    (item,) = decode(data, authors=AuthorKeys(b"a secret of the tests"), now=NOW)
    return item


def test_a_post_comes_out_as_it_went_in_and_its_attributes_tell_it() -> None:
    message = post_message(TOPIC, POST)
    assert decoded(message.data) == POST
    assert message.topic == TOPIC
    assert message.attributes == {
        "post_id": "x:1",
        "created_at": "2025-12-31T23:59:59.999999Z",
        "source": "x",
        "topic": "a, b",
        "schema": "1",
    }


def test_a_reject_comes_out_as_it_went_in_and_is_the_same_letter_each_time() -> None:
    message, again = (reject_message(TOPIC, REJECT, "x-stream", now) for now in (NOW, NOW + 5))
    assert decoded(message.data) == REJECT
    letter = message.attributes[LETTER_ID]
    assert letter == again.attributes[LETTER_ID]
    assert message.attributes[POST_ID] == f"reject:{letter}"
    assert message.attributes[CREATED_AT] == "2026-01-01T00:00:00Z"
    origin = origin_of("any message id", message.attributes)
    assert letter_id("parse", origin, 0) == letter


def test_a_deletion_names_its_post() -> None:
    message = deletion_message(TOPIC, "bluesky:3kabc")
    assert orjson.loads(message.data) == {"schema": 1, "deleted": "bluesky:3kabc"}
    assert message.attributes == {"post_id": "bluesky:3kabc", "source": "bluesky", "schema": "1"}
    item = decoded(message.data)
    assert isinstance(item, Reject)
    assert (item.error_type, item.post_id) == (DELETION, "bluesky:3kabc")
