"""Takes authors out of a message that is kept as a dead letter.

In JSON, ids and names of accounts are replaced by keys; in what cannot be parsed, by a best effort
with regular expressions.
"""

from __future__ import annotations

import re

import orjson

from mltox.posts.authors import AuthorKeys
from mltox.posts.formats.draft import Json

MAX_PAYLOAD = 10_000
"""Characters of a dead letter's payload."""

_MAX_DEPTH = 40
_CUT = "[cut]"

_ACCOUNT_IDS = frozenset(
    {
        "author",
        "author_id",
        "author_key",
        "author_fullname",
        "author_name",
        "user",
        "user_id",
        "user_id_str",
        "user_name",
        "username",
        "screen_name",
        "account",
        "account_id",
        "acct",
        "display_name",
        "did",
        "handle",
        "owner",
        "creator",
        "in_reply_to_user_id",
        "in_reply_to_user_id_str",
        "in_reply_to_screen_name",
        "in_reply_to_account_id",
        "link_author",
        "approved_by",
        "banned_by",
        "users",
        "user_mentions",
        "mentions",
    }
)
_ACCOUNT_MARKS = frozenset({"username", "screen_name", "acct"})
_ACCOUNT_FIELDS = frozenset({"id", "id_str", "name"})
_DID = re.compile(r"did:[a-z]+:[A-Za-z0-9._:%-]+")
_PROFILE = re.compile(r"(https?://[^/\s\"<>]+/(?:@|users/|user/|u/|profile/))[^/\s\"<>?]+")
_NAMES = "|".join(sorted(_ACCOUNT_IDS))
_KEY = re.compile(rf'"(?:{_NAMES})"\s*:\s*')
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_SCALAR = re.compile(r"[^\s,\]}]*")
_MARK = re.compile(r'["\[\]{}]')


def scrubbed_json(value: Json, authors: AuthorKeys) -> str:
    """Returns a JSON value as text of at most 10,000 characters, without authors."""
    clean = _scrub(value, authors, 0)
    try:
        text = orjson.dumps(clean, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:
        return scrubbed_text(ascii(clean))
    return text[:MAX_PAYLOAD]


def scrubbed_text(text: str) -> str:
    """Returns text that may be broken JSON, cut to 10,000 characters, authors blanked out."""
    text = text[: 2 * MAX_PAYLOAD]
    kept, at = [], 0
    while (key := _KEY.search(text, at)) is not None:
        kept += [text[at : key.end()], '"[author]"']
        at = _end_of_value(text, key.end())
    kept.append(text[at:])
    return _addresses("".join(kept))[:MAX_PAYLOAD]


def _end_of_value(text: str, start: int) -> int:
    """Where the JSON value that starts here ends: behind its last bracket, or with the text."""
    if text[start : start + 1] == '"':
        match = _STRING.match(text, start)
    elif text[start : start + 1] in ("[", "{"):
        depth, at = 0, start
        while (mark := _MARK.search(text, at)) is not None:
            at = mark.end()
            if mark[0] == '"':
                string = _STRING.match(text, mark.start())
                at = string.end() if string else at
            else:
                depth += 1 if mark[0] in "[{" else -1
            if depth == 0:
                return at
        return len(text)
    else:
        match = _SCALAR.match(text, start)
    return match.end() if match else start


def storable(text: str) -> str:
    """Returns the text with NUL characters and lone surrogates replaced by U+FFFD."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _addresses(text: str) -> str:
    return _PROFILE.sub(r"\1[author]", _DID.sub("did:[author]", text))


def _scrub(value: Json, authors: AuthorKeys, depth: int) -> Json:
    if isinstance(value, str):
        if value[:1] in ("{", "[") and depth < _MAX_DEPTH:
            return storable(_scrub_inner(value, authors, depth))
        return storable(_addresses(value[:MAX_PAYLOAD]))
    if isinstance(value, int):
        return value if value.bit_length() < 64 else _CUT
    if not isinstance(value, dict | list):
        return value
    if depth > _MAX_DEPTH:
        return _CUT
    if isinstance(value, list):
        return [_scrub(item, authors, depth + 1) for item in value]
    named = _ACCOUNT_IDS | _ACCOUNT_FIELDS if not _ACCOUNT_MARKS.isdisjoint(value) else _ACCOUNT_IDS
    return {
        storable(_addresses(key[:200])): _keyed(item, authors)
        if key in named
        else _scrub(item, authors, depth + 1)
        for key, item in value.items()
    }


def _scrub_inner(text: str, authors: AuthorKeys, depth: int) -> str:
    """A string that seems to hold JSON, such as the body in a recorded answer."""
    try:
        return orjson.dumps(_scrub(orjson.loads(text), authors, depth + 1)).decode()[:MAX_PAYLOAD]
    except (ValueError, TypeError):
        return scrubbed_text(text)


def _keyed(value: Json, authors: AuthorKeys) -> Json:
    if value is None or isinstance(value, bool) or value == "":
        return value
    if isinstance(value, dict):
        for name in ("id_str", "id", "did", "url", "acct"):
            if isinstance(value.get(name), str | int):
                return _keyed(value[name], authors)
        return "[author]"
    if isinstance(value, str | int) and len(_digits(value)) <= 500:
        return authors.key("dead letter", _digits(value))
    return "[author]" if value else value


def _digits(value: str | int) -> str:
    """The string of an id of either type; bounded, since Python refuses to print huge numbers."""
    if isinstance(value, str):
        return value
    return str(value) if value.bit_length() < 256 else "x" * 501
