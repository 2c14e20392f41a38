"""Rows that are no usable posts, as every real collection has some."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import orjson

from ingest.sources.sample.post import SamplePost
from ingest.sources.sample.shapes import shaped, x_id

Fault = Callable[[SamplePost], bytes]


def _row(post: SamplePost, **changes: object) -> bytes:
    row = shaped(post._replace(network="plain", original=None)) | changes
    return orjson.dumps({key: value for key, value in row.items() if value is not _ABSENT})


_ABSENT = object()


def _deletion(post: SamplePost) -> bytes:
    status = {"id": x_id(post), "id_str": str(x_id(post)), "user_id_str": str(post.author.number)}
    return orjson.dumps({"delete": {"status": status}})


def _with_escape(post: SamplePost, escape: str) -> bytes:
    return _row(post, text="~ " + post.text).replace(b"~", escape.encode())


FAULTS: Mapping[str, tuple[Fault, int]] = {
    "malformed_json": (lambda post: orjson.dumps(shaped(post))[:-9], 5),
    "not_an_object": (lambda post: b'"%d"' % post.number, 2),
    "unknown_shape": (lambda post: b'{"status": "ok", "took": %d}' % post.number, 2),
    "deletion": (_deletion, 8),
    "missing_id": (lambda post: _row(post, id=_ABSENT), 2),
    "missing_text": (lambda post: _row(post, text=_ABSENT), 3),
    "empty_text": (lambda post: _row(post, text=" \n"), 4),
    "wrong_type": (lambda post: _row(post, text=[post.text]), 3),
    "missing_created_at": (lambda post: _row(post, created_at=_ABSENT), 4),
    "bad_created_at": (lambda post: _row(post, created_at="yesterday, about noon"), 3),
    "created_at_out_of_range": (
        lambda post: _row(
            post, created_at="2286-11-20T17:46:40Z" if post.number % 2 else "1970-01-01T00:00:00Z"
        ),
        6,
    ),
    "nul_character": (lambda post: _with_escape(post, "\\u0000"), 3),
    "lone_surrogate": (lambda post: _with_escape(post, "\\ud83d"), 3),
    "bad_encoding": (lambda post: _row(post, text="~").replace(b"~", b"caf\xe9"), 2),
    "text_too_large": (lambda post: _row(post, text=post.text + " ha" * 350_000), 1),
}
"""By the error type that `mltox.posts.formats.decode` gives: how to make one, and how many."""
