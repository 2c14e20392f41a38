from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mltox.posts.records import DAY
from pipelines.runs.local_stream.spans import Spans

YEAR = 365 * DAY
NOW = 20_000 * DAY
stamps = st.lists(st.integers(10_957 * DAY, NOW + DAY), max_size=12)


def test_a_year_is_in_and_a_day_more_is_out() -> None:
    spans = Spans(YEAR, {"t": NOW})
    assert spans.far_out("t", [NOW - YEAR, NOW - YEAR - 1], NOW) == [False, True]
    assert Spans(0, {"t": NOW}).far_out("t", [0], NOW) == [False]


def test_strays_step_by_step_do_not_move_what_is_allowed() -> None:
    spans = Spans(YEAR, {"t": NOW})
    for years in range(1, 20):
        assert spans.far_out("t", [NOW - years * YEAR], NOW) == [years > 1]


def test_an_old_collection_may_be_replayed_though_a_stray_post_leads_it() -> None:
    spans = Spans(YEAR, {})
    old = [12_000 * DAY + n for n in range(5)]
    assert spans.far_out("t", [11_000 * DAY, *old], NOW) == [True] + [False] * 5
    assert spans.far_out("t", [12_300 * DAY, 12_600 * DAY], NOW) == [False, True]


def test_a_topic_that_began_with_a_stray_post_takes_those_of_today() -> None:
    spans = Spans(YEAR, {})
    assert spans.far_out("t", [11_000 * DAY], NOW) == [False]
    assert spans.far_out("t", [NOW - 5 * DAY], NOW) == [False]
    assert spans.far_out("t", [11_000 * DAY], NOW) == [True]


@given(stamps, st.dictionaries(st.just("t"), st.integers(0, NOW)))
def test_posts_of_now_always_pass(found: list[int], newest: dict[str, int]) -> None:
    far = Spans(YEAR, newest).far_out("t", found, NOW)
    assert all(not out for at, out in zip(found, far, strict=True) if at >= NOW - YEAR)
