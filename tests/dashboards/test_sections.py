from collections.abc import Callable

import pytest

from dashboards import sections
from dashboards.episodes import episodes
from dashboards.planted import Planted
from dashboards.queries import Day, Letters, ModelUse, TopicTotals
from dashboards.summary import Now
from mltox.posts.records import HOUR, Anomaly, ForecastAccuracy

BAD = "<script>alert(1)</script>\"'&"
CALM = Now(5, 0.1, 0.1, 0.05, 0.2)


def totals(
    topic: str, posts: int = 100, unscored: int = 0, share: float | None = 0.1
) -> TopicTotals:
    return TopicTotals(topic, posts, unscored, 7, share, share, 0, 99 * HOUR, 0)


@pytest.mark.parametrize(
    ("topics", "title"),
    [
        ([], "Toxicity of topics"),
        (["a"], "Toxicity of a"),
        (["a", "b"], "Toxicity of a and b"),
        (["a", "b", "c"], "Toxicity of a, b and c"),
        (list("abcde"), "Toxicity of 5 topics"),
        (["x" * 99], "Toxicity of " + "x" * 39 + "…"),
    ],
)
def test_title(topics: list[str], title: str) -> None:
    assert sections.title([totals(topic) for topic in topics]) == title


def test_meta_says_what_when_and_by_which_model() -> None:
    text = sections.meta([totals("a")], [ModelUse("m@1", 9, HOUR), ModelUse(BAD, 1, 2 * HOUR)])
    assert "1 Jan 1970, 00:00</time> to " in text
    assert "5 Jan 1970, 04:00</time> UTC" in text
    assert "scored by m@1, &lt;script&gt;" in text
    assert "last written" in text
    assert "1 Jan 1970, 02:00" in text


def test_tiles_weigh_topics_by_their_scored_posts() -> None:
    markup = sections.tiles(
        [totals("a", 100, 50, 0.2), totals("b", 150, 0, 0.4), totals("c", 10, 10, None)],
        3,
        [Letters("parse", "missing_text", 1200, 0, 0, "", "")],
    )
    assert "<dd>35.0 %" in markup  # (50 * 0.2 + 150 * 0.4) / 200
    assert "<dd>260<small>60 in other languages" in markup
    assert "<dd>1,200<small>1 reason" in markup


def test_overview_compares_now_with_usual(day: Callable[..., Day]) -> None:
    high = Now(5, 0.3, 0.1, 0.05, 0.2)
    markup = sections.overview(
        [totals("a"), totals(BAD)],
        [high, Now(0, None, None, None, None)],
        {"a": [day(1), day(3, share=0.2)]},
        {},
    )
    assert "▲ above usual" in markup
    assert "usual 10.0 % (5.0 % to 20.0 %)" in markup
    assert "no scored posts" in markup
    assert 'data-topic="0"' in markup
    assert 'data-topic="1"' in markup
    assert "Toxic share by day, last 3 days" in markup
    assert "<script" not in markup
    assert 'href="#topic=%3Cscript%3Ealert%281%29%3C%2Fscript%3E%22%27%26"' in markup


def test_an_open_episode_is_told_in_the_overview(anomaly: Callable[..., Anomaly]) -> None:
    found = {"a": episodes([anomaly(topic="a", status="open")])}
    assert "1 ongoing" in sections.overview([totals("a")], [CALM], {}, found)
    closed = {"a": episodes([anomaly(topic="a", status="resolved")])}
    assert "1 ongoing" not in sections.overview([totals("a")], [CALM], {}, closed)


def test_accuracy_shows_the_chosen_method_and_its_rivals() -> None:
    rows = [
        ForecastAccuracy("a", "posts", 0, "prophet", 168, 0.812, 0.2, 0.1, 0.79, 0.94, True),
        ForecastAccuracy("a", "posts", 0, "seasonal_naive", 168, 1.0, 0.2, 0.1, 0.8, 0.95, False),
        ForecastAccuracy("gone", "posts", 0, "short_mean", 168, None, None, None, None, None, True),
    ]
    markup = sections.accuracy([totals("a")], rows)
    assert '<span class="chosen">Prophet</span>' in markup
    assert "Seasonal naive 1.00" in markup
    assert "79.0 %" in markup
    assert 'data-of="0"' in markup
    assert 'data-of="-1"' in markup
    assert "Short mean" in markup


def test_planted_incidents_are_found_or_missed(anomaly: Callable[..., Anomaly]) -> None:
    incidents = [
        Planted("politics", 0, 3 * HOUR, "posts", "up", "volume_surge", "a final"),
        Planted("politics", 50 * HOUR, 60 * HOUR, "toxic_share", "up", BAD, ""),
    ]
    found = {"politics": episodes([anomaly(metric="posts", hour=2 * HOUR)])}
    markup = sections.planted(incidents, found)
    assert "1 of 2 found" in markup
    assert "✓ found, no. 1" in markup
    assert "✗ missed" in markup
    assert "a final" in markup
    assert "<script" not in markup


def test_dead_letters_are_escaped_and_clipped() -> None:
    row = Letters("parse", "missing_text", 3, 0, HOUR, BAD, BAD + "y" * 20_000)
    markup = sections.letters([row])
    assert "missing text" in markup
    assert "<script" not in markup
    assert len(markup) < 3000


def test_each_part_has_an_empty_state() -> None:
    assert "No posts yet" in sections.overview([], [], {}, {})
    assert "No forecast yet" in sections.accuracy([], [])
    assert "None: every post could be used" in sections.letters([])
