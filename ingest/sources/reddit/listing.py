"""What is new in one of Reddit's listings since the last look.

A listing shows the newest things first, 100 a page and about 1,000 in all. Things are numbered in
the order in which they were made (fullnames: `t1_` or `t3_` and a number in base 36), but may show
up out of that order, so that whatever has not been seen on the pages that were read is new.

Reference: https://www.reddit.com/dev/api/#listings
"""

from __future__ import annotations

import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from ingest.sources.source import Batch, Cursor
from mltox.posts.envelope import encode_deletion
from mltox.posts.formats.reddit import is_placeholder

log = logging.getLogger(__name__)

LISTING_PAGE = 100
LISTING = 1_000
REMEMBERED_POSTS = 5 * LISTING

Page = tuple[Sequence[Any], str | None]
"""Things, newest first, and the fullname behind which the next page begins, None on the last."""


class Thing(NamedTuple):
    """`number` orders things by age; 0 where it has none. `print` differs once it was edited."""

    key: str
    number: int
    print: int
    payload: bytes


class Listing:
    """One listing, and how far it has been read: the cursor holds the fullname under its name."""

    def __init__(self, name: str, cursor: Cursor) -> None:
        self._name = name
        self._last = number(cursor.get(name, ""))
        self._seen: OrderedDict[str, int] = OrderedDict()

    def poll(self, page: Callable[[str | None], Page]) -> Iterator[Batch]:
        """Yields what is new or was edited, oldest first, what is gone as a deletion.

        `page` fetches the page behind a fullname. Nothing is taken for read if it raises.
        """
        found = self._back_to_last(page)
        fresh = [thing for thing in found if self._seen.get(thing.key) != thing.print]
        fresh.sort(key=lambda thing: thing.number)
        for start in range(0, len(fresh), LISTING_PAGE):
            yield self._batch(fresh[start : start + LISTING_PAGE])

    def _back_to_last(self, page: Callable[[str | None], Page]) -> list[Thing]:
        found: dict[str, Thing] = {}
        after: str | None = None
        reached = False
        while not reached and len(found) < LISTING:
            children, after = page(after)
            things = [thing_of(child) for child in children]
            found |= {thing.key: thing for thing in things if thing.key not in found}
            reached = any(0 < thing.number <= self._last for thing in things)
            if after is None:
                break
        if self._last and not reached and len(found) >= LISTING - LISTING_PAGE:
            log.warning(
                "reddit: more than %d %s are new; the oldest are lost, look more often",
                len(found),
                self._name,
            )
        return list(found.values())

    def _batch(self, things: Sequence[Thing]) -> Batch:
        for thing in things:
            self._seen[thing.key] = thing.print
            self._seen.move_to_end(thing.key)
        while len(self._seen) > REMEMBERED_POSTS:
            self._seen.popitem(last=False)
        newest = max(things, key=lambda thing: thing.number)
        cursor = None
        if newest.number > self._last:
            self._last, cursor = newest.number, {self._name: newest.key}
        return Batch(tuple(thing.payload for thing in things), cursor)


def number(fullname: str) -> int:
    """The number in a fullname; 0 for anything else.

    >>> number("t1_10")
    36
    """
    kind, _, digits = fullname.partition("_")
    if kind not in ("t1", "t3") or not digits.isascii() or not digits.isalnum() or len(digits) > 13:
        return 0
    return int(digits, 36)


def thing_of(child: Any) -> Thing:
    """Takes a child of a listing as it came; one that is none becomes a dead letter downstream."""
    payload = json.dumps(child).encode()  # takes half of a surrogate pair, as orjson does not
    data = child.get("data") if isinstance(child, dict) else None
    data = data if isinstance(data, dict) else {}
    name = data.get("name")
    if not isinstance(name, str) or not number(name):
        return Thing(str(hash(payload)), 0, 0, payload)
    texts = tuple(str(data.get(field)) for field in ("title", "selftext", "body"))
    if is_gone(data):
        return Thing(name, number(name), hash(None), encode_deletion(f"reddit:{name}"))
    return Thing(name, number(name), hash(texts), payload)


def is_gone(data: dict[str, Any]) -> bool:
    """Whether its author has deleted it, or somebody removed it. A submission keeps its title."""
    if is_placeholder(data.get("body")) or is_placeholder(data.get("title")):
        return True
    return bool(data.get("removed_by_category")) or (
        data.get("author") == "[deleted]" and is_placeholder(data.get("selftext"))
    )
