"""Rejects that somebody else has written on the topic."""

from __future__ import annotations

import orjson
import pytest

from mltox.posts.authors import AuthorKeys
from mltox.posts.envelope import Reject
from pipelines.transforms.parse import REJECTED, encode_reject, items_of

AUTHORS = AuthorKeys(b"a long enough key for tests")


def test_a_reject_comes_back_as_it_was() -> None:
    reject = Reject("bad_encoding", "not UTF-8", "caf\ufffd", None)
    assert list(items_of(encode_reject(reject), AUTHORS, now=1)) == [reject]
    named = reject._replace(post_id="x:1")
    assert list(items_of(encode_reject(named), AUTHORS, now=1)) == [named]


@pytest.mark.parametrize(
    "forged",
    [
        [0, "m", "p", None],
        ["e", ["m"], "p", None],
        ["e", "m", 1.5, None],
        ["e", "m", "p", 7],
        ["e", "m\0", "p", None],
        ["e", "m", "p"],
        [],
        7,
    ],
)
def test_a_forged_one_is_a_dead_letter_that_fits_its_row(forged: object) -> None:
    payload = REJECTED + orjson.dumps(forged) + b"}"
    (found,) = items_of(payload, AUTHORS, now=1)
    assert isinstance(found, Reject) and found.error_type == "unknown_shape"
    assert all(isinstance(text, str) and "\0" not in text for text in found[:3])
