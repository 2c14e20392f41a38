from collections.abc import Callable

import pytest

from dashboards.queries import Hour
from dashboards.summary import Now, now
from mltox.posts.records import HOUR

HourOf = Callable[..., Hour]


def test_the_last_day_is_held_against_the_days_before_weighted_by_scored_posts(
    hour: HourOf,
) -> None:
    # Spans end at hour 95: 0–23, 24–47, 48–71 are usual; 72–95 is now.
    hours = [
        hour(0, posts=10, share=0.1),
        hour(23, posts=30, share=0.3),  # first span: (1 + 9) / 40 = 0.25
        hour(24, posts=10, share=0.05),
        hour(48, posts=10, share=0.15),
        hour(72, posts=12, share=0.5, unscored=2),  # 10 scored
        hour(95, posts=30, share=0.1),  # (5 + 3) / 40
    ]
    found = now(hours, 95 * HOUR)
    assert found.posts == 42
    assert found.share == pytest.approx(0.2)
    # The median of 0.05, 0.15, 0.25; deviations 0.1, 0, 0.1: 3 * 1.4826 * 0.1 = 0.445.
    assert (found.usual, found.low, found.high) == pytest.approx((0.15, 0.0, 0.59478))
    assert found.verdict == "as usual"


def test_days_of_an_incident_hardly_widen_what_is_usual(hour: HourOf) -> None:
    ordinary = [hour(24 * d, posts=1000, share=0.10 + 0.01 * (d % 3)) for d in range(27)]
    calm = now([*ordinary, hour(24 * 28, posts=1000, share=0.3)], 24 * 28 * HOUR)
    storm = now(
        [*ordinary[:-2], *(hour(24 * d, 1000, s) for d, s in ((25, 0.9), (26, 0.9), (28, 0.3)))],
        24 * 28 * HOUR,
    )
    assert calm.verdict == storm.verdict == "above usual"
    assert storm.high == pytest.approx(calm.high, abs=0.02)


def test_few_posts_are_no_evidence(hour: HourOf) -> None:
    quiet = [hour(24 * d, posts=10, share=0.0) for d in range(20)]
    one = now([*quiet, hour(480, posts=10, share=0.1)], 480 * HOUR)
    assert one.verdict == "as usual"  # sqrt(0.1 * 0.9 / 10) * 3 = 0.285
    assert one.high == pytest.approx(0.284605, abs=1e-6)
    assert now([*quiet, hour(480, posts=10, share=0.3)], 480 * HOUR).verdict == "above usual"


@pytest.mark.parametrize(
    ("share", "verdict"), [(0.3, "above usual"), (0.01, "below usual"), (0.2, "as usual")]
)
def test_verdict_is_about_the_range_of_the_days_before(share: float, verdict: str) -> None:
    assert Now(1, share, 0.15, 0.1, 0.2).verdict == verdict


def test_too_little_history_is_said(hour: HourOf) -> None:
    found = now([hour(0), hour(24), hour(48)], 48 * HOUR)
    assert found.usual is None
    assert found.verdict == "too little history"


def test_no_scored_post_in_the_last_day(hour: HourOf) -> None:
    found = now([hour(0), hour(100, posts=3, share=None, unscored=3)], 100 * HOUR)
    assert (found.posts, found.share, found.verdict) == (3, None, "no scored posts")


def test_only_28_days_count_as_usual(hour: HourOf) -> None:
    hours = [hour(24 * d, share=0.1) for d in range(1, 30)]
    assert now([hour(0, share=1.0), *hours], 24 * 29 * HOUR).usual == pytest.approx(0.1)
