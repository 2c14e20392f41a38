"""What fits one request, by number and by bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple, TypeVar

from mltox.google.pubsub.messages import Outgoing

Item = TypeVar("Item")


class Limit(NamedTuple):
    """Of one request. A larger item is a request of its own."""

    items: int
    bytes: int


MESSAGE_LIMIT = Limit(500, 5_000_000)
"""Pub/Sub takes 1,000 messages and 10 MB."""
ACK_IDS = Limit(2_000, 400_000)
"""Pub/Sub takes 512 KiB; an id has up to about 200 bytes."""


def fitting(items: Iterable[Item], limit: Limit, size: Callable[[Item], int]) -> list[Item]:
    """The first of the items, as many as one request takes; at least one where there is one.

    >>> fitting(["aa", "bb", "c"], Limit(items=9, bytes=4), len)
    ['aa', 'bb']
    """
    return next(requests_of(items, limit, size), [])


def requests_of(
    items: Iterable[Item], limit: Limit, size: Callable[[Item], int]
) -> Iterator[list[Item]]:
    """All items in order, cut into requests.

    >>> list(requests_of(["aa", "bb", "ccccc", "d"], Limit(items=9, bytes=4), len))
    [['aa', 'bb'], ['ccccc'], ['d']]
    """
    request: list[Item] = []
    held = 0
    for item in items:
        more = size(item)
        if request and (len(request) == limit.items or held + more > limit.bytes):
            yield request
            request, held = [], 0
        request.append(item)
        held += more
    if request:
        yield request


def bytes_of(message: Outgoing) -> int:
    """Of its data alone: attributes are some 200 bytes, for which the limit has room."""
    return len(message.data)
