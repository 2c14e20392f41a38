"""Known events: what a file may say, and what they stand beside."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboards.annotations import Annotation, read_annotations
from dashboards.clock import clock_of, parse_as_of
from dashboards.errors import DashboardError
from dashboards.queries import TopicTotals
from mltox.posts.records import DAY, HOUR, SECOND

FIRST = 1_767_225_600 * SECOND  # 2026-01-01 00:00 UTC


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "events.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_events_come_by_time_with_their_ends(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
- {title: " Vote ", start: 2026-01-02}
- {title: Debate, start: "2026-01-01T02:00+02:00", topics: [election]}
- {title: Match, start: 2026-01-01T10:00:00Z, end: 2026-01-01T12:00:00Z, topics: cup}
- {title: Speech, start: 2026-01-01 10:00:00}
""",
    )
    assert read_annotations(path) == [
        Annotation("Debate", FIRST, FIRST + HOUR, ("election",)),
        Annotation("Match", FIRST + 10 * HOUR, FIRST + 12 * HOUR, ("cup",)),
        Annotation("Speech", FIRST + 10 * HOUR, FIRST + 11 * HOUR),
        Annotation("Vote", FIRST + DAY, FIRST + 2 * DAY),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: b", "is not a list of events"),
        ("- [", "is no YAML file, line"),
        ("- x", "event 1: is not a mapping"),
        ("- {title: a, start: 2026-01-01}\n- {start: 2026-01-01}", "event 2: has no title"),
        ("- {title: '', start: 2026-01-01}", "has no title"),
        ("- {title: a}", "start is no time"),
        ("- {title: a, start: soon}", "start is no time"),
        ("- {title: a, start: 2026-01-02, end: 2026-01-01}", "end is no time after start"),
        ("- {title: a, start: 2026-01-02, topics: 3}", "topics is not a list"),
        ("- {title: a, start: 2026-01-02, color: red}", "has no field 'color'"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(DashboardError) as error:
        read_annotations(written(tmp_path, text))
    assert says in str(error.value) and "\n" not in str(error.value)


def test_an_event_touches_what_it_overlaps_or_what_begins_soon_after() -> None:
    event = Annotation("a", 10 * HOUR, 11 * HOUR)
    assert event.touches(10 * HOUR, 12 * HOUR)
    assert event.touches(13 * HOUR, 14 * HOUR)
    assert not event.touches(14 * HOUR, 15 * HOUR)
    assert not event.touches(8 * HOUR, 10 * HOUR)
    assert event.concerns("any") and not event._replace(topics=("b",)).concerns("a")


def total(last: int) -> TopicTotals:
    return TopicTotals("t", 1, 0, 1, None, None, 0, last, 0)


def test_the_clock_of_a_file_is_the_last_hour_of_any_topic() -> None:
    assert clock_of([total(5 * HOUR), total(9 * HOUR)], None, None) == (10 * HOUR, False)
    assert clock_of([total(50 * HOUR)], 98 * HOUR + 7, None) == (99 * HOUR, True)
    assert clock_of([total(5 * HOUR)], 98 * HOUR + 7, None) == (6 * HOUR, False)  # it is over
    assert clock_of([total(5 * HOUR)], 99 * HOUR, 7 * HOUR) == (7 * HOUR, False)
    assert clock_of([], None, None).now == 0


@pytest.mark.parametrize("text", ["soon", "2026-01-01T00:00", ""])
def test_as_of_needs_a_time_with_a_zone(text: str) -> None:
    with pytest.raises(DashboardError, match="--as-of"):
        parse_as_of(text)
    assert parse_as_of("2026-01-01T00:00Z") == FIRST
