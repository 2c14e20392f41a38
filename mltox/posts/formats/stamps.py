"""Times of creation, in all the ways the networks and people's files write them."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

from mltox.posts.records import SECOND, Micros

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NUMBER = re.compile(r"[0-9]{9,19}(?:\.[0-9]+)?")
_COMPACT = re.compile(r"([0-9]{8})([0-9]{6})Z?")
_FRACTION = re.compile(r"(?<=[0-9])[.,]([0-9]{7,})")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = r"(?P<month>[A-Z][a-z]{2})"
_DAY = r"(?P<day>[0-9]{1,2})"
_YEAR = r"(?P<year>[0-9]{4})"
_OFFSET = r"(?P<offset>[+-][0-9]{4}|Z|GMT|UTC|UT)"
_CLOCK = r"(?P<clock>[0-9]{2}:[0-9]{2}:[0-9]{2})"
_NAMED_MONTH = (
    # X v1.1: Fri Jan 01 07:29:00 +0000 2021
    re.compile(rf"[A-Z][a-z]{{2}} {_MONTH} {_DAY} {_CLOCK} {_OFFSET} {_YEAR}"),
    # RFC 5322: Fri, 1 Jan 2021 07:29:00 +0000
    re.compile(rf"(?:[A-Z][a-z]{{2}}, )?{_DAY} {_MONTH} {_YEAR} {_CLOCK} {_OFFSET}"),
)


def micros_of(value: str | int | float) -> Micros | None:
    """Returns microseconds since 1970 UTC, or None for what is no time.

    Reads ISO 8601 and RFC 3339 (without an offset: UTC; `2021-01-01 07:29:00 UTC` as BigQuery
    prints it), the dates of X v1.1 and of RFC 5322, `20210101072900Z`, and numbers: seconds,
    milliseconds, microseconds or nanoseconds since 1970, told apart by their size.
    """
    if isinstance(value, str):
        return _micros_of_text(value.strip())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return _micros_of_number(value)


def _micros_of_number(value: int | float) -> Micros:
    size = abs(value)
    if size < 10**11:
        return round(value * SECOND)
    if size < 10**14:
        return round(value * 1000)
    if size < 10**17:
        return round(value)
    return round(value // 1000)


def _micros_of_text(text: str) -> Micros | None:
    if len(text) > 64 or not text.isascii():
        return None
    if _NUMBER.fullmatch(text):
        if len(text) == 14 and "." not in text:
            return _micros_of_compact(text)
        return _micros_of_number(float(text) if "." in text else int(text))
    if text[:4].isdigit():
        return _micros_of_compact(text) or _micros_of_iso(text)
    for form in _NAMED_MONTH:
        match = form.fullmatch(text)
        if match and match["month"] in _MONTHS:
            month = _MONTHS.index(match["month"]) + 1
            offset = match["offset"] if match["offset"][0] in "+-" else "Z"
            day = f"{match['year']}-{month:02}-{int(match['day']):02}"
            return _micros_of_iso(f"{day}T{match['clock']}{offset}")
    return None


def _micros_of_compact(text: str) -> Micros | None:
    match = _COMPACT.fullmatch(text)
    return _micros_of_iso(f"{match[1]}T{match[2]}Z") if match else None


def _micros_of_iso(text: str) -> Micros | None:
    if text.endswith(" UTC"):
        text = text[:-4] + "Z"
    try:
        # datetime reads six digits of a second; some networks write nine
        moment = datetime.fromisoformat(_FRACTION.sub(lambda m: "." + m[1][:6], text))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MICROSECOND
