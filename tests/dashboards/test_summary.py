import pytest

from dashboards.queries import DaySpan
from dashboards.summary import LEAST_DAY_POSTS, Now, duration, now
from mltox.posts.records import DAY, HOUR

CLOCK = 100 * DAY


def span(place: int, scored: int = 100, share: float = 0.1, posts: int | None = None) -> DaySpan:
    return DaySpan("politics", place, scored if posts is None else posts, scored, share * scored)


def state(*spans: DaySpan, quiet: int = 0) -> Now:
    """`quiet` hours have passed since the end of the topic's last hour with posts."""
    return now(spans, CLOCK, CLOCK - (quiet + 1) * HOUR)


def test_the_last_day_is_held_against_the_days_before_weighted_by_scored_posts() -> None:
    found = state(
        span(0, 40, 0.2, posts=42), span(1, 40, 0.15), span(2, 40, 0.05), span(3, 40, 0.25)
    )
    assert (found.posts, found.scored) == (42, 40)
    assert found.share == pytest.approx(0.2)
    # The median of 0.05, 0.15, 0.25; deviations 0.1, 0, 0.1: 3 * 1.4826 * 0.1 = 0.445.
    assert (found.usual, found.low, found.high) == pytest.approx((0.15, 0.0, 0.59478))
    assert found.verdict == "as usual"


def test_days_of_an_incident_hardly_widen_what_is_usual() -> None:
    ordinary = [span(d, 1000, 0.10 + 0.01 * (d % 3)) for d in range(1, 28)]
    calm = state(span(0, 1000, 0.3), *ordinary)
    storm = state(span(0, 1000, 0.3), *ordinary[:-2], span(27, 1000, 0.9), span(28, 1000, 0.9))
    assert calm.verdict == storm.verdict == "above usual"
    assert storm.high == pytest.approx(calm.high, abs=0.02)


@pytest.mark.parametrize(
    ("scored", "verdict"),
    [
        (1, "too few posts"),
        (LEAST_DAY_POSTS - 1, "too few posts"),
        (LEAST_DAY_POSTS, "above usual"),
    ],
)
def test_few_posts_are_no_evidence(scored: int, verdict: str) -> None:
    quiet = [span(d, 100, 0.0) for d in range(1, 20)]
    assert state(span(0, scored, 1.0), *quiet).verdict == verdict


def test_days_of_few_posts_say_nothing_of_what_is_usual() -> None:
    few = [span(d, LEAST_DAY_POSTS - 1, 1.0) for d in range(1, 20)]
    assert state(span(0), *few).verdict == "too little history"
    assert state(span(0), *few, *(span(d, 100, 0.1) for d in range(20, 23))).usual == 0.1


@pytest.mark.parametrize(
    ("share", "verdict"), [(0.3, "above usual"), (0.01, "below usual"), (0.2, "as usual")]
)
def test_verdict_is_about_the_range_of_the_days_before(share: float, verdict: str) -> None:
    assert Now(50, 50, share, 0.15, 0.1, 0.2).verdict == verdict


def test_no_scored_post_in_the_last_day() -> None:
    found = state(DaySpan("politics", 0, 3, 0, 0.0), span(1), span(2), span(3))
    assert (found.posts, found.share, found.verdict) == (3, None, "no scored posts")


def test_only_28_days_count_as_usual() -> None:
    assert state(span(0), *(span(d) for d in range(1, 29)), span(29, 100, 1.0)).usual == 0.1


@pytest.mark.parametrize(
    ("quiet", "posts_a_day", "verdict"),
    [
        (0, 480, "as usual"),
        (1, 240, "as usual"),  # ten posts would have come in an hour: but 10 is the least
        (2, 480, "no posts for 2 h"),
        (23, 9, "as usual"),  # nine would have come
        (24, 9, "no posts for 24 h"),
        (144, 480, "no posts for 6 days"),
    ],
)
def test_silence_is_no_usual_day(quiet: int, posts_a_day: int, verdict: str) -> None:
    ended = quiet // 24
    spans = [span(d, posts_a_day, 0.1) for d in range(ended, ended + 10)]
    found = now(spans, CLOCK, CLOCK - (quiet + 1) * HOUR)
    if verdict == "as usual":
        assert found.silent == 0 or (quiet, posts_a_day) == (1, 240)
    else:
        assert found.verdict == verdict


def test_durations() -> None:
    assert [duration(h) for h in (1, 47, 48, 150)] == ["1 h", "47 h", "2 days", "6 days"]
