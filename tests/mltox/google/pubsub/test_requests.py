from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from mltox.google.pubsub.messages import Outgoing
from mltox.google.pubsub.requests import MESSAGE_LIMIT, Limit, bytes_of, fitting, requests_of


def test_requests_stay_within_what_pubsub_takes_and_keep_the_order() -> None:
    small = [Outgoing("t", b"%d" % number, {}) for number in range(MESSAGE_LIMIT.items + 1)]
    assert [len(part) for part in requests_of(small, MESSAGE_LIMIT, bytes_of)] == [
        MESSAGE_LIMIT.items,
        1,
    ]
    large = [Outgoing("t", b"x" * (MESSAGE_LIMIT.bytes // 2 + 1), {})] * 3
    assert [len(part) for part in requests_of(large, MESSAGE_LIMIT, bytes_of)] == [1, 1, 1]
    parts = requests_of(small, MESSAGE_LIMIT, bytes_of)
    assert [message for part in parts for message in part] == small


@given(st.lists(st.integers(0, 12)), st.integers(1, 4), st.integers(1, 10))
def test_any_items_are_cut_in_order_into_requests_as_full_as_they_may_be(
    sizes: list[int], items: int, most: int
) -> None:
    limit = Limit(items, most)
    parts = list(requests_of(sizes, limit, lambda size: size))
    assert [size for part in parts for size in part] == sizes
    for part in parts:
        assert len(part) <= items
        assert sum(part) <= most or len(part) == 1
    for part, after in itertools.pairwise(parts):
        assert len(part) == items or sum(part) + after[0] > most
    assert fitting(sizes, limit, lambda size: size) == (parts[0] if parts else [])


def test_a_request_takes_so_many_items_and_so_many_bytes() -> None:
    payloads = [b"1", b"2", b"3", b"4", b"x" * 8, b"yy", b"z", b"w" * 50, b"v"]
    assert list(requests_of(payloads, Limit(items=3, bytes=10), len)) == [
        [b"1", b"2", b"3"],
        [b"4", b"x" * 8],
        [b"yy", b"z"],
        [b"w" * 50],
        [b"v"],
    ]
    assert list(requests_of([], Limit(items=3, bytes=10), len)) == []
