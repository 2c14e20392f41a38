"""What a dead letter keeps of a message: known-safe fields in known shapes, all else masked.

It is decided by what is kept. A list of fields to drop is never whole: names stand in addresses,
in the titles of embedded pages, under keys that nobody listed, and as keys. So of a message there
stay its structure, the keys that the networks' formats have, `true`, `false` and `null`; and in
posts, not in what hangs on them, ids and times that look like such, languages, kinds, topics and
the text without links and mentions. Account ids under the formats' own keys become pseudonyms. The
message itself can be replayed from where it came from.
"""

from __future__ import annotations

import html
import re

import orjson

from mltox.base.text import legible
from mltox.posts.authors import AuthorKeys, is_author_key
from mltox.posts.formats.draft import MAX_NAME_CHARACTERS, Json
from mltox.posts.formats.safe_fields import (
    ACCOUNT_MARKS,
    ACCOUNTS,
    BODIES,
    CONTAINERS,
    COUNT_FIELDS,
    ID,
    IDS,
    KEYS,
    KNOWN_WORDS,
    LANGUAGE,
    LANGUAGES,
    TEXT_FIELDS,
    TIME,
    TIMES,
    TOPIC_FIELDS,
    WORDS,
)

MASK = "[masked]"
MAX_PAYLOAD = 10_000
"""Characters of a dead letter's payload."""

_MOST_VALUES = 2_000
_DEEPEST = 40
_CUT = "[cut]"

_TAG = re.compile(r"<[^<>]{0,2000}>?")
_TELLING = re.compile(
    r"[@＠﹫]|://|did:|[^\W\d_]\.[^\W\d_]|(?:^|\W)(?:www\.|(?:u|user)[/_])", re.IGNORECASE
)
"""Part of a mention, a mail or web address, a handle that is a domain, or a page of an account."""
_LEXEME = re.compile(
    r'"(?P<string>(?:[^"\\]|\\.)*)(?P<end>"?)|(?P<sign>[{}\[\]:,])|[^\s{}\[\]:,"]+', re.DOTALL
)


def masked_json(value: Json, authors: AuthorKeys) -> str:
    """Returns a JSON value as text of at most 10,000 characters that names nobody."""
    clean = _Masking(authors).value(value, None, posts=True, depth=0)
    return orjson.dumps(clean).decode()[:MAX_PAYLOAD]


def masked_text(text: str) -> str:
    """Returns text that may be broken JSON as what of it is known, at most 10,000 characters.

    >>> masked_text('{"author": "alice", "text": "hi @bob", "alice": tru')
    '{"author":"[masked]","text":"hi [masked]","[masked]":"[masked]"'
    """
    kept: list[str] = []
    key: str | None = None
    length = 0
    # Of each open bracket, whether posts are in it; what does not begin with one is no message.
    posts = [text.lstrip()[:1] in ("{", "[")]
    for match in _LEXEME.finditer(text[: 2 * MAX_PAYLOAD]):
        sign, string = match["sign"], match["string"]
        if sign is not None:
            made = sign
            if sign in "{[":
                posts.append(posts[-1] and (key is None or key in CONTAINERS))
            elif sign in "}]":
                posts = posts[:-1] or [False]
            key = key if sign in ":[" else None
        elif string is not None and string in KEYS and key is None:
            made, key = match[0], string
        elif string is not None and key in BODIES and posts[-1]:
            # Of a text that is cut off, the last word may be the beginning of anything.
            whole = string if match["end"] else string[: string.rfind(" ") + 1]
            made = f'"{without_names(whole)}{match["end"]}'
        else:
            made = match[0] if match[0] in ("true", "false", "null") else f'"{MASK}"'
            key = key or ""
        kept.append(made)
        length += len(made)
        if length > MAX_PAYLOAD:
            break
    return legible("".join(kept))[:MAX_PAYLOAD]


def without_names(text: str) -> str:
    """Returns a post's text without what leads to an account: mentions, addresses, handles."""
    plain = _TAG.sub("", html.unescape(text[: 2 * MAX_PAYLOAD]))
    if _TELLING.search(plain) is None:
        return legible(plain)
    words = re.split(r"(\s+)", plain)
    return legible("".join(MASK if _TELLING.search(word) else word for word in words))


class _Masking:
    """One message. Counts the values that it looks at, so that a large one costs no more."""

    def __init__(self, authors: AuthorKeys) -> None:
        self._authors = authors
        self._left = _MOST_VALUES

    def value(self, value: Json, key: str | None, *, posts: bool, depth: int) -> Json:
        """`posts`: whether the value is a post's, or holds posts, and is not what hangs on one."""
        self._left -= 1
        if self._left < 0 or depth > _DEEPEST:
            return _CUT
        if value is None or isinstance(value, bool):
            return value
        if key in ACCOUNTS:
            return self._account(value)
        if isinstance(value, list):
            return [
                self.value(item, key, posts=posts, depth=depth + 1)
                for item in value[: self._left + 1]
            ]
        if isinstance(value, dict):
            return self._object(value, posts, depth)
        return _kept(value, key) if posts else MASK

    def _object(self, value: dict[str, Json], posts: bool, depth: int) -> Json:
        if not ACCOUNT_MARKS.isdisjoint(value) and BODIES.isdisjoint(value):
            posts = False
        made: dict[str, Json] = {}
        for key, item in list(value.items())[: self._left + 1]:
            inside = posts and (key in CONTAINERS or not isinstance(item, dict | list))
            inside = inside or (
                posts and isinstance(item, list) and key in LANGUAGES | TOPIC_FIELDS
            )
            name = key if key in KEYS else f"{MASK} {len(made) + 1}"
            made[name] = self.value(item, key, posts=inside, depth=depth + 1)
        return made

    def _account(self, value: Json) -> Json:
        """A pseudonym, by which letters of one account can be found; of the account alone."""
        if isinstance(value, dict):
            for name in ("id_str", "id", "did", "url", "acct"):
                if isinstance(value.get(name), str | int):
                    return self._account(value[name])
            return MASK
        if isinstance(value, str) and (not value or is_author_key(value)):
            return value
        if isinstance(value, str) and len(value) <= 500:
            return self._authors.key("dead letter", value)
        if isinstance(value, int) and value.bit_length() <= 128:
            return self._authors.key("dead letter", str(value))
        return MASK


def _kept(value: Json, key: str | None) -> Json:
    """A scalar of a post: itself where its key is known and it has the form that belongs to it."""
    if isinstance(value, int | float):
        form = value if abs(value) < 2**63 else None
        return form if form is not None and key in IDS | TIMES | COUNT_FIELDS else MASK
    if not isinstance(value, str):
        return MASK
    if key in TEXT_FIELDS:
        return without_names(value[:MAX_PAYLOAD])
    if key in TOPIC_FIELDS:
        return legible(value[:MAX_NAME_CHARACTERS])
    forms = ((IDS, ID), (TIMES, TIME), (LANGUAGES, LANGUAGE))
    if any(key in keys and form.fullmatch(value) for keys, form in forms):
        return value
    return value if key in WORDS and value in KNOWN_WORDS else MASK
