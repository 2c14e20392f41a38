"""Reads posts out of any message: one JSON payload in, envelopes and rejects out.

A format is a module with `find(obj) -> Found | None`; the first that knows an object takes it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import NoReturn

import orjson

from mltox.base.text import legible
from mltox.posts.authors import AuthorKeys
from mltox.posts.envelope import DELETION, Envelope, Reject, encode
from mltox.posts.formats import bluesky, mastodon, own, plain, reddit, x_v1, x_v2
from mltox.posts.formats.draft import BadPost, Draft, Json, Obj, finish
from mltox.posts.formats.found import FormatParts, MessagePart
from mltox.posts.formats.masked import masked_json, masked_text
from mltox.posts.records import SECOND, Micros

IN_FUTURE = "created_at_in_future"
MAX_AHEAD: Micros = 600 * SECOND
"""By so much a clock may run ahead."""

_FORMATS: tuple[Callable[[Obj], FormatParts | None], ...] = (
    own.find_deletion,
    bluesky.find,
    reddit.find,
    mastodon.find,
    x_v1.find,
    x_v2.find,
    plain.find,
)

MOST_LETTERS = 100
"""Rejects of one message that are told one by one; what follows them is one more."""
MOST_PARTS = 100_000
"""Posts of one message. A page has hundreds; of a file's array each element is read alone."""


def decode(payload: bytes, *, authors: AuthorKeys, now: Micros) -> Iterator[Envelope | Reject]:
    """Yields every post of a message or of a file's row, in order.

    Knows our own envelope, X API v2 (objects, pages, stream messages, twarc2), X API v1.1,
    Bluesky's Jetstream v1 and v2, Reddit, Mastodon, plain `{id, text, created_at, author, topic}`,
    and arrays of these. `now` is the clock against which stamps in the future are judged.

    What holds no usable post yields a Reject, of the type DELETION where a post is gone at its
    source; each payload yields at least one item, and no payload raises. A post with a NUL or half
    of a surrogate pair in a field that is kept is rejected; in other fields they do not matter.
    """
    try:
        value = _parsed(payload)
    except BadPost as bad:
        text = masked_text(payload[:40_000].decode("utf-8", "replace"))
        yield Reject(bad.error_type, bad.message, text, None)
        return
    letters = 0
    for number, part in enumerate(_parts(value)):
        if number == MOST_PARTS:
            what = f"the message has more than {MOST_PARTS:,} parts; the rest of it is not read"
            yield Reject("too_many_parts", what, "", None)
            break
        try:
            yield _in_its_time(_post(part, authors, now), now)
        except BadPost as bad:
            letters += bad.error_type != DELETION
            if letters <= MOST_LETTERS or bad.error_type == DELETION:
                yield _reject(bad, part, authors)
    if letters > MOST_LETTERS:
        what = f"{letters - MOST_LETTERS:,} more parts of the message hold no usable post"
        yield Reject("too_many_letters", what, "", None)


def _post(part: MessagePart, authors: AuthorKeys, now: Micros) -> Envelope:
    """Raises BadPost."""
    obj = part.json
    if not isinstance(obj, dict):
        raise BadPost("not_an_object", "the message is no JSON object")
    if own.is_envelope(obj):
        return own.envelope(obj, now)
    if own.is_notice(obj):
        raise own.noticed(obj)
    return finish(part.parse(obj), authors, now)


def _reject(bad: BadPost, part: MessagePart, authors: AuthorKeys) -> Reject:
    if own.is_notice(part.json):
        payload = own.noticed_payload(part.json, authors)
    else:
        payload = masked_json(part.json, authors)
    return Reject(bad.error_type, legible(bad.message), payload, bad.post_id)


def _in_its_time(envelope: Envelope, now: Micros) -> Envelope | Reject:
    """A post of an hour that is not there yet would be the newest of all, and what is forecast and
    judged begins behind that. It waits as a dead letter that holds it whole, until it is put back.
    """
    if envelope.created_at <= now + MAX_AHEAD:
        return envelope
    minutes = (envelope.created_at - now) // (60 * SECOND)
    return Reject(
        IN_FUTURE,
        f"created_at is {minutes:,} minutes ahead; mltox replay-dead-letters takes it then",
        encode(envelope).decode(),
        envelope.post_id,
    )


def is_plain(obj: Obj) -> bool:
    """Whether an object is of no network's format: a plain row, or nothing that is known."""
    if own.is_envelope(obj) or own.is_notice(obj):
        return False
    return all(find(obj) is None for find in _FORMATS if find is not plain.find)


def _parsed(payload: bytes) -> Json:
    """The JSON value of a payload; raises BadPost."""
    try:
        return orjson.loads(payload)
    except ValueError:
        pass
    try:
        text = payload.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadPost("bad_encoding", f"not UTF-8 at byte {error.start}") from None
    if not text.strip():
        raise BadPost("malformed_json", "the message is empty")
    try:
        # The standard parser takes what the fast one refuses: halves of surrogate pairs, a byte
        # order mark, numbers of any length.
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadPost("malformed_json", f"not JSON: {str(error)[:200]}") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _parts(value: Json) -> Iterator[MessagePart]:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, list):
            if not item:
                yield MessagePart(item, _unknown)
            pending.extend(reversed(item))
            continue
        found = _found(item) if isinstance(item, dict) else None
        if found is None:
            yield MessagePart(item, _unknown)
            continue
        yield from found.parts
        pending.extend(reversed(found.nested))


def _found(obj: Obj) -> FormatParts | None:
    if own.is_envelope(obj) or own.is_notice(obj):
        return None
    if obj.keys() <= plain.PLAIN_FIELDS:
        return plain.find(obj)
    for find in _FORMATS:
        found = find(obj)
        if found is not None:
            return found
    return None


def _unknown(_: Obj) -> Draft:
    raise BadPost("unknown_shape", "no format that is known: neither a network's nor a plain row")
