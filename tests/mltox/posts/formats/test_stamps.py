from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mltox.posts.formats.stamps import read_stamp

NEW_YEAR = 1_609_486_140_000_000  # 2021-01-01T07:29:00Z


@pytest.mark.parametrize(
    "value",
    [
        "2021-01-01T07:29:00Z",
        "2021-01-01T07:29:00.000Z",
        "2021-01-01T07:29:00+00:00",
        "2021-01-01T08:29:00+01:00",
        "2021-01-01T02:29:00-0500",
        "2021-01-01 07:29:00",
        "2021-01-01 07:29:00 UTC",
        " 2021-01-01T07:29 ",
        "20210101072900Z",
        "20210101072900",
        "20210101T072900Z",
        "Fri Jan 01 07:29:00 +0000 2021",
        "Fri, 1 Jan 2021 07:29:00 GMT",
        "01 Jan 2021 09:29:00 +0200",
        1609486140,
        1609486140.0,
        "1609486140",
        "1609486140.0",
        1609486140000,
        "1609486140000",
        1609486140000000,
        1609486140000000000,
    ],
)
def test_the_same_moment_in_every_notation(value: str | float) -> None:
    assert read_stamp(value) == NEW_YEAR


def test_fractions_of_a_second_are_kept_to_the_microsecond() -> None:
    assert read_stamp("2021-01-01T07:29:00.123Z") == NEW_YEAR + 123_000
    assert read_stamp("2021-01-01T07:29:00.123456789Z") == NEW_YEAR + 123_456
    assert read_stamp(1609486140.25) == NEW_YEAR + 250_000


def test_a_date_alone_is_its_midnight() -> None:
    assert read_stamp("2021-01-01") == NEW_YEAR - (7 * 3600 + 29 * 60) * 1_000_000


@pytest.mark.parametrize(
    "value",
    [
        "",
        "yesterday",
        "01/02/2021 13:45",  # nobody knows which of the two is the month
        "2021-13-01T00:00:00Z",
        "2021-02-30",
        "Fri Foo 01 07:29:00 +0000 2021",
        "Fri Feb 31 07:29:00 +0000 2021",
        "2021-01-01T07:29:00Z; DROP TABLE posts",
        "٢٠٢١-٠١-٠١",
        "1" * 100,
        math.nan,
        math.inf,
        -math.inf,
    ],
)
def test_what_is_no_time(value: str | float) -> None:
    assert read_stamp(value) is None


@given(st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1)))
def test_iso_round_trip(moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC)
    micros = read_stamp(moment.isoformat())
    assert micros is not None
    # by parts, since a float has too few digits
    seconds, rest = divmod(micros, 1_000_000)
    assert datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest) == moment


@given(st.text() | st.floats() | st.integers())
def test_never_raises(value: str | float) -> None:
    result = read_stamp(value)
    assert result is None or isinstance(result, int)


@pytest.mark.parametrize(
    "written",
    [
        "2020/12/31 14:05",
        "2020-12-31 14:05",
        "2020-12-31T14:05:00Z[UTC]",
        "2020-12-31T15:05:00+01:00[Europe/Berlin]",
        "2020-12-31 15:05:00 CET",
        "2020-12-31 15:05 Europe/Berlin",
        "2020-12-31 09:05:00 EST",
        "2020-12-31 15:05:00 +0100",
        "Thu, 31 Dec 2020 09:05:00 EST",
        "Thu Dec 31 14:05:00 UTC 2020",
    ],
)
def test_zones_and_slashes(written: str) -> None:
    assert read_stamp(written) == 1_609_423_500_000_000


@pytest.mark.parametrize(
    "written", ["31/12/2020", "03/04/2021 10:00", "2020-12-31 10:00 IST", "2020-12-31 10:00 Mars/B"]
)
def test_what_would_be_a_guess_is_refused(written: str) -> None:
    assert read_stamp(written) is None
