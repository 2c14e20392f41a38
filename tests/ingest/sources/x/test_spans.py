from __future__ import annotations

import pytest

from ingest.sources.x.spans import IdSpan, id_spans, ids_of
from mltox.posts.formats.x_v2 import first_id_at, snowflake_millis

HALF_PAST = 1_748_860_200_000  # 2025-06-02T10:30:00Z
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def id_at(millis: int) -> int:
    return first_id_at(millis)


def test_ids_hold_their_time() -> None:
    assert snowflake_millis(first_id_at(HALF_PAST)) == HALF_PAST
    assert snowflake_millis(first_id_at(HALF_PAST) - 1) == HALF_PAST - 1
    assert first_id_at(0) == 0


def test_an_hour_that_has_just_begun_is_one_span() -> None:
    after = id_at(HALF_PAST - 10 * MINUTE)
    assert list(id_spans(after, HALF_PAST)) == [IdSpan(after, None)]


def test_time_is_cut_at_full_hours_without_a_gap_or_an_overlap() -> None:
    after = id_at(HALF_PAST - 2 * HOUR)
    cuts = [id_at(HALF_PAST - 90 * MINUTE), id_at(HALF_PAST - 30 * MINUTE)]
    assert list(id_spans(after, HALF_PAST)) == [
        IdSpan(after, cuts[0]),
        IdSpan(cuts[0] - 1, cuts[1]),
        IdSpan(cuts[1] - 1, None),
    ]


def test_an_hour_that_search_may_not_know_whole_is_not_cut_off() -> None:
    full_hour = HALF_PAST + 30 * MINUTE
    after = id_at(full_hour - 10 * MINUTE)
    assert list(id_spans(after, full_hour + MINUTE // 2)) == [IdSpan(after, None)]
    assert len(list(id_spans(after, full_hour + MINUTE))) == 2


def test_what_is_out_of_reach_is_asked_for_by_time() -> None:
    old = IdSpan(id_at(HALF_PAST - 8 * DAY), id_at(HALF_PAST - 6 * DAY))
    assert old.parameters(HALF_PAST) == {
        "start_time": "2025-05-26T11:00:00Z",
        "end_time": "2025-05-27T10:30:00Z",
    }
    assert IdSpan(old.after, None).parameters(HALF_PAST) == {"start_time": "2025-05-26T11:00:00Z"}
    assert IdSpan(old.after, id_at(HALF_PAST - 7 * DAY)).parameters(HALF_PAST) is None


def test_what_is_within_reach_is_asked_for_by_ids() -> None:
    after, until = id_at(HALF_PAST - DAY), id_at(HALF_PAST)
    assert IdSpan(after, until).parameters(HALF_PAST) == {
        "since_id": str(after),
        "until_id": str(until),
    }
    assert IdSpan(after, None).parameters(HALF_PAST) == {"since_id": str(after)}


def test_a_month_away_costs_no_more_spans_than_a_week_has_hours() -> None:
    assert len(list(id_spans(id_at(HALF_PAST - 30 * DAY), HALF_PAST))) <= 169


@pytest.mark.parametrize(
    ("until", "end"),
    [
        (id_at(HALF_PAST - HOUR), id_at(HALF_PAST - HOUR) - 1),
        (id_at(HALF_PAST - MINUTE // 2), None),
        (None, None),
    ],
)
def test_a_span_is_done_with_once_search_knows_it_whole(until: int | None, end: int | None) -> None:
    assert IdSpan(0, until).end(HALF_PAST) == end


def test_a_cursor_of_somebody_else_is_no_id() -> None:
    assert ids_of({"a": "12", "b": "x", "c": "", "d": "１２"}) == {"a": 12}
