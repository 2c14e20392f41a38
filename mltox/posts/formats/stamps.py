"""Times of creation, in all the ways the networks and people's files write them.

What is read without being told: ISO 8601 and RFC 3339 (`2021-01-01T07:29:00Z`, a space for the T,
an offset, ` UTC`, a zone's name or `[Europe/Berlin]` behind it), `2021/01/31 07:29`, the dates of
X v1.1 and of RFC 5322, `20210101072900Z`, and numbers since 1970. What is refused without being
told: `03/04/2021`, which is in March or in April. `Times` is how a person tells.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from mltox.posts.records import SECOND, Micros

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LONGEST = 80
_NUMBER = re.compile(r"[0-9]{9,19}(?:\.[0-9]+)?")
_COMPACT = re.compile(r"([0-9]{8})([0-9]{6})Z?")
_FRACTION = re.compile(r"(?<=[0-9])[.,]([0-9]{7,})")
_SPACED_OFFSET = re.compile(r"(?<=[0-9]) (?=[+-][0-9]{2}:?[0-9]{2}$)")
_BRACKETS = re.compile(r"(.*)\[([A-Za-z_/+0-9-]+)\]")
_NAMED_ZONE = re.compile(r"(.*[0-9]) ?([A-Za-z][A-Za-z_]*(?:/[A-Za-z_+0-9-]+)*)")
_CLOCK_PARTS = (
    r"(?:(?:T|,? +)([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]+)?)?(?: ?([AaPp][Mm]))?)?"
)
_YEAR_FIRST = re.compile(r"([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})" + _CLOCK_PARTS)
_DAY_FIRST = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})" + _CLOCK_PARTS)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH = r"(?P<month>[A-Z][a-z]{2})"
_DAY = r"(?P<day>[0-9]{1,2})"
_YEAR = r"(?P<year>[0-9]{4})"
_OFFSET = r"(?P<offset>[+-][0-9]{4}|[A-Z]{1,5})"
_CLOCK = r"(?P<clock>[0-9]{2}:[0-9]{2}:[0-9]{2})"
_NAMED_MONTH = (
    # X v1.1: Fri Jan 01 07:29:00 +0000 2021
    re.compile(rf"[A-Z][a-z]{{2}} {_MONTH} {_DAY} {_CLOCK} {_OFFSET} {_YEAR}"),
    # RFC 5322: Fri, 1 Jan 2021 07:29:00 +0000
    re.compile(rf"(?:[A-Z][a-z]{{2}}, )?{_DAY} {_MONTH} {_YEAR} {_CLOCK} {_OFFSET}"),
)
_ABBREVIATIONS = {
    # RFC 5322 names those of America; of the others, those that mean one zone only
    "Z": 0, "UT": 0, "UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2,
    "EEST": 3, "MSK": 3, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6,
    "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8, "HST": -10, "JST": 9, "KST": 9, "AEST": 10,
    "AEDT": 11, "NZST": 12, "NZDT": 13,
}  # fmt: skip


@cache
def zone_of(name: str) -> tzinfo | None:
    """The zone of an IANA name, or of an abbreviation that means one zone only; else None.

    BST and IST are refused: each is that of several countries.
    """
    hours = _ABBREVIATIONS.get(name.upper())
    if hours is not None:
        return timezone(timedelta(hours=hours))
    return ZoneInfo(name) if name in available_timezones() else None


@dataclass(frozen=True)
class Times:
    """What a person said about the times of a file.

    `date_format` is one of `datetime.strptime`, and the only one then; `day_first` reads
    `31/12/2020 14:05`; `zone` is that of times without one.

    >>> Times(day_first=True).micros_of("03/04/2021") == read_stamp("2021-04-03")
    True
    """

    date_format: str | None = None
    day_first: bool = False
    zone: tzinfo = UTC

    def micros_of(self, value: str | int | float) -> Micros | None:
        """Returns microseconds since 1970 UTC, or None for what is no time."""
        if isinstance(value, str):
            text = value.strip()
            return self._of_format(text) if self.date_format else self._of_text(text)
        if isinstance(value, float) and not math.isfinite(value):
            return None
        return _micros_of_number(value)

    def _of_format(self, text: str) -> Micros | None:
        try:
            return _micros(datetime.strptime(text, str(self.date_format)), self.zone)
        except ValueError:
            return None

    def _of_text(self, text: str) -> Micros | None:
        if len(text) > _LONGEST or not text.isascii():
            return None
        if _NUMBER.fullmatch(text):
            if len(text) == 14 and "." not in text:
                return self._compact(text)
            return _micros_of_number(float(text) if "." in text else int(text))
        if text[:4].isdigit():
            return self._compact(text) or self._iso(text) or self._zoned(text)
        return self._with_named_month(text) or (self._day_first(text) if self.day_first else None)

    def _compact(self, text: str) -> Micros | None:
        match = _COMPACT.fullmatch(text)
        return self._iso(f"{match[1]}T{match[2]}{text[14:]}") if match else None

    def _iso(self, text: str, zone: tzinfo | None = None) -> Micros | None:
        try:
            # datetime reads six digits of a second; some networks write nine
            moment = datetime.fromisoformat(_FRACTION.sub(lambda m: "." + m[1][:6], text))
        except ValueError:
            return None
        return _micros(moment, zone or self.zone)

    def _zoned(self, text: str) -> Micros | None:
        """ISO 8601 as Java, Ruby, BigQuery and people write it, or with slashes."""
        zone = None
        if named := _BRACKETS.fullmatch(text) or _NAMED_ZONE.fullmatch(text):
            zone = zone_of(named[2])
            if zone is None:
                return None
            text = named[1]
        text = _SPACED_OFFSET.sub("", text)
        if slashed := _YEAR_FIRST.fullmatch(text):
            year, month, day, *clock = slashed.groups()
            return _of_parts(year, month, day, clock, zone or self.zone)
        return self._iso(text, zone)

    def _with_named_month(self, text: str) -> Micros | None:
        for form in _NAMED_MONTH:
            match = form.fullmatch(text)
            if match and match["month"] in _MONTHS:
                month = _MONTHS.index(match["month"]) + 1
                day = f"{match['year']}-{month:02}-{int(match['day']):02}T{match['clock']}"
                if match["offset"][0] in "+-":
                    return self._iso(day + match["offset"])
                zone = zone_of(match["offset"])
                return None if zone is None else self._iso(day, zone)
        return None

    def _day_first(self, text: str) -> Micros | None:
        zone = None
        match = _DAY_FIRST.fullmatch(text)
        if match is None and (named := _NAMED_ZONE.fullmatch(text)):
            zone, match = zone_of(named[2]), _DAY_FIRST.fullmatch(named[1])
            if zone is None:
                return None
        if match is None:
            return None
        day, month, year, *clock = match.groups()
        return _of_parts(year, month, day, clock, zone or self.zone)


_UNTOLD = Times()


def read_stamp(value: str | int | float) -> Micros | None:
    """Returns microseconds since 1970 UTC, or None for what is no time. Without an offset: UTC.

    Numbers are seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by their
    size.
    """
    return _UNTOLD.micros_of(value)


def _micros_of_number(value: int | float) -> Micros:
    size = abs(value)
    if size < 10**11:
        return round(value * SECOND)
    if size < 10**14:
        return round(value * 1000)
    if size < 10**17:
        return round(value)
    return round(value // 1000)


def _of_parts(
    year: str, month: str, day: str, clock: list[str | None], zone: tzinfo
) -> Micros | None:
    hour, minute, second, half = clock
    hours = int(hour or 0)
    if half:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + (12 if half.lower() == "pm" else 0)
    try:
        moment = datetime(
            int(year), int(month), int(day), hours, int(minute or 0), int(second or 0)
        )
    except ValueError:
        return None
    return _micros(moment, zone)


def _micros(moment: datetime, zone: tzinfo) -> Micros:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return (moment - _EPOCH) // _MICROSECOND
