from __future__ import annotations

from datetime import UTC, datetime

import pytest

from ingest.sources.retries import Backoff, asked_wait, delay

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("failures", "spread", "seconds"),
    [(1, 0, 0.5), (1, 0.5, 0.75), (2, 0, 1), (3, 0, 2), (4, 0.5, 6), (7, 0, 30), (10_000, 0, 30)],
)
def test_waits_double_up_to_the_longest(failures: int, spread: float, seconds: float) -> None:
    assert delay(Backoff(first=1, longest=60), failures, spread) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "Thu, 01 Jan 2026 00:01:00 GMT"}, 60),
        ({"Retry-After": "Wed, 31 Dec 2025 23:00:00 GMT"}, 0),
        ({"Retry-After": "-3"}, 0),
        ({"Retry-After": "1e300"}, 900),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "soon"}, None),
        ({"X-RateLimit-Reset": "30.5"}, 30.5),
        ({"X-RateLimit-Reset": "2026-01-01T00:05:00.000Z"}, 300),
        ({"X-RateLimit-Reset": "1767225720"}, 120),
        ({"Retry-After": "soon", "X-RateLimit-Reset": "9"}, 9),
        ({"Retry-After": "5", "X-RateLimit-Reset": "9"}, 5),
    ],
)
def test_what_a_server_asks_for(headers: dict[str, str], seconds: float | None) -> None:
    assert asked_wait(headers, NOW) == seconds
