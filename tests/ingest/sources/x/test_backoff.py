from __future__ import annotations

import pytest
import requests

from ingest.sources.source import SourceError
from ingest.sources.x.backoff import Patience, http_seconds, network_seconds, rate_limit_seconds
from ingest.sources.x.errors import XError, printable_line


@pytest.mark.parametrize(
    ("failures", "network", "http", "rate"),
    [
        (0, 0, 5, 60),
        (1, 0.25, 10, 120),
        (2, 0.5, 20, 240),
        (6, 1.5, 320, 900),
        (64, 16, 320, 900),
        (10_000, 16, 320, 900),
    ],
)
def test_waits_are_those_that_x_asks_for(
    failures: int, network: float, http: float, rate: float
) -> None:
    assert network_seconds(failures) == network
    assert http_seconds(failures) == http
    assert rate_limit_seconds(failures, None, now=0) == rate


@pytest.mark.parametrize(("reset", "seconds"), [(1_090, 91), (1_000, 1), (10, 1), (10**12, 86_400)])
def test_a_rate_limit_that_says_when_it_ends(reset: float, seconds: float) -> None:
    assert rate_limit_seconds(3, reset, now=1_000) == seconds


def test_each_kind_of_trouble_is_counted_apart_until_it_works_again() -> None:
    patience, broke, busy = Patience(), requests.ConnectionError(), XError(503)
    assert [patience.seconds(each, 0) for each in (broke, broke, busy, broke, busy)] == [
        0, 0.25, 5, 0.5, 10,
    ]  # fmt: skip
    patience.reset()
    assert patience.seconds(busy, 0) == 5


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (XError(401), "X_BEARER_TOKEN: it is wrong or revoked"),
        (XError(402, "CreditsDepleted"), "X_BEARER_TOKEN has no credits left.*CreditsDepleted"),
        (XError(403, "Forbidden", "no access"), "X_BEARER_TOKEN may not.*Forbidden: no access"),
        (XError(429, "UsageCapExceeded"), "as many posts as X allows"),
        (XError(400, "Invalid Request", "no such query"), "400.*no such query"),
    ],
)
def test_what_no_waiting_mends(error: XError, said: str) -> None:
    with pytest.raises(SourceError, match=said):
        Patience().seconds(error, 0)


PROBLEM = b'{"title": "Too Many\\nRequests", "detail": "wait"}'


@pytest.mark.parametrize(
    ("headers", "body", "title", "detail", "reset"),
    [
        ({"x-rate-limit-reset": "1700000000"}, PROBLEM, "Too Many\\nRequests", "wait", 1.7e9),
        # the limit is not used up: it is another reason
        ({"x-rate-limit-reset": "17", "x-rate-limit-remaining": "4"}, b"", "", "", None),
        ({"x-rate-limit-reset": "soon"}, b"<html>", "", "", None),
        ({}, b"[1]", "", "", None),
        ({}, b'{"errors": [{"message": "m"}, 5], "title": "t"}', "t", "m", None),
        ({}, b'{"errors": "no", "title": 5, "detail": {"a": 1}}', "", "", None),
        ({}, b'{"errors": [5]}', "", "", None),
    ],
)
def test_refusals_of_any_shape(
    headers: dict[str, str], body: bytes, title: str, detail: str, reset: float | None
) -> None:
    error = XError.of(429, headers, body)
    assert (error.title, error.detail, error.reset) == (title, detail, reset)


def test_what_others_write_is_one_short_line() -> None:
    assert printable_line("a\r\n\x1b[31mß" + "x" * 1000).startswith(r"a\r\n\x1b[31m\xdf")
    assert len(printable_line("x" * 1000)) == 300
