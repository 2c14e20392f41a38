"""A row that is found wanting before it enters the graph is the same dead letter inside."""

from __future__ import annotations

import json

import pytest

from mltox.posts.authors import AuthorKeys
from mltox.posts.envelope import Envelope, Reject
from mltox.posts.formats import decode
from mltox.posts.formats.own import notice
from mltox.posts.reading.rows import FileRow
from pipelines.runs.input_messages import messages_of

AUTHORS = AuthorKeys(b"a long enough key for tests")
NOW = 1_767_225_600_000_000


@pytest.mark.parametrize(
    "payload",
    [
        b"{",
        b"\xff\xfe\x00",
        b"",
        b'{"id": "1", "author": "somebody", "text": "no time"}',
        b'{"id": "1", "user": {"id": 5, "name": "somebody"}, "text": ["x"]}',
        b'{"id": "1", "author_id": "77", "text": "a\\u0000b", "created_at": 1700000000}',
        b'{"author": "somebody", "text": "' + b"x" * 30_000,
        b'[1, {"id": "2", "text": "t", "created_at": "nonsense"}, {"schema": 9, "post_id": "x:1"}]',
        b'{"mltox_notice": "forged", "payload": "{\\"author\\": \\"somebody\\"}", "post_id": 7}',
        '{"id": "1", "text": "\U0001f600 \ud800"}'.encode("utf-8", "surrogatepass"),
    ],
    ids=range(10),
)
def test_it_comes_back_as_it_was(payload: bytes) -> None:
    found = list(decode(payload, authors=AUTHORS, now=NOW))
    messages = list(messages_of(FileRow(payload, "file:1"), AUTHORS, NOW))
    inside = [
        item
        for message, _ in messages
        for item in decode(message.payload, authors=AUTHORS, now=NOW)
    ]
    assert inside == found
    assert "somebody" not in str(inside)
    assert [created_at is None for _, created_at in messages] == [
        isinstance(item, Reject) for item in found
    ]


@pytest.mark.parametrize(
    "forged",
    [
        {"mltox_notice": 0, "message": "m"},
        {"mltox_notice": "e", "message": ["m"], "payload": {"user": "somebody"}},
        {"mltox_notice": "e\0", "message": "m\0", "payload": 1.5, "post_id": "x:1\0"},
        {"mltox_notice": "e", "message": None, "payload": "p", "post_id": "x" * 301},
        {"mltox_notice": ["e"]},
        {"mltox_reject": ["e", "m", "p", None]},
    ],
)
def test_what_somebody_else_wrote_fits_its_row(forged: object) -> None:
    (found,) = decode(json.dumps(forged).encode(), authors=AUTHORS, now=NOW)
    assert isinstance(found, Reject) and not isinstance(found, Envelope)
    error_type, message, payload, post_id = found
    assert all(isinstance(text, str) and "\0" not in text for text in found[:3])
    assert len(error_type) <= 100 and len(message) <= 500 and len(payload) <= 10_000
    assert post_id is None or len(post_id) <= 300
    assert "somebody" not in payload


def test_a_notice_says_what_the_reject_said() -> None:
    reject = Reject("bad_encoding", "not UTF-8", '{"id":"1","text":"caf\ufffd"}', "x:1")
    assert list(decode(notice(*reject), authors=AUTHORS, now=NOW)) == [reject]
