import json
from collections.abc import Callable

from dashboards import payload
from dashboards.episodes import episodes
from dashboards.payload import MAX_EPISODES, MAX_EXAMPLES, MAX_HOURS, MAX_TEXT, TopicData
from dashboards.queries import Day, Example, Hour, HourOfWeek, LabelDay
from mltox.posts.records import HOUR, Anomaly, Forecast


def test_hours_are_dense_and_scaled(hour: Callable[..., Hour]) -> None:
    got = payload.hourly([hour(5, posts=4, share=0.25, unscored=1), hour(8, posts=2, share=None)])
    assert got == {
        "start": 5 * 3_600_000,
        "cut": False,
        "posts": [4, 0, 0, 2],
        "scored": [3, 0, 0, 2],
        "mean_toxicity": [25_000, None, None, None],
        "toxic_share": [25_000, None, None, None],
    }


def test_a_long_history_keeps_its_last_hours(hour: Callable[..., Hour]) -> None:
    got = payload.hourly([hour(0, posts=7), hour(MAX_HOURS + 10, posts=9)])
    assert got is not None
    assert got["cut"]
    assert len(got["posts"]) == MAX_HOURS
    assert (got["posts"][0], got["posts"][-1]) == (0, 9)
    assert got["start"] == 11 * 3_600_000


def test_days_are_dense(day: Callable[..., Day]) -> None:
    got = payload.daily([day(16_000, posts=3), day(16_002, posts=1, share=None)])
    assert got == {
        "start": 16_000,
        "posts": [3, 0, 1],
        "mean_toxicity": [10_000, None, None],
        "toxic_share": [10_000, None, None],
    }


def test_a_label_that_the_model_lacks_is_left_out() -> None:
    rows = [
        LabelDay("t", 1, "threat", None),
        LabelDay("t", 1, "insult", 0.5),
        LabelDay("t", 3, "insult", 0.25),
        LabelDay("t", 2, "toxicity", 0.1),
    ]
    assert payload.labels(rows) == {
        "start": 1,
        "series": {"toxicity": [None, 10_000, None], "insult": [50_000, None, 25_000]},
    }
    assert payload.labels(rows[:1]) is None


def test_the_week_starts_on_monday_at_midnight() -> None:
    got = payload.week(
        [HourOfWeek("t", 1, 0, 2.04, 0.1, None), HourOfWeek("t", 7, 23, 5.0, 0.2, 0.3)]
    )
    assert got is not None
    assert {len(values) for values in got.values()} == {168}
    assert (got["posts"][0], got["posts"][1], got["posts"][167]) == (2.0, None, 5.0)
    assert (got["toxic_share"][0], got["toxic_share"][167]) == (None, 30_000)


def test_forecasts_are_in_the_order_of_their_hours() -> None:
    rows = [
        Forecast("t", "posts", 0, 2 * HOUR, 5.04, 4, 6, 3, 7, "prophet", None),
        Forecast("t", "posts", 0, 1 * HOUR, 4.0, 3, 5, 2, 6, "prophet", 0.5),
        Forecast("t", "toxic_share", 0, 1 * HOUR, 0.1, 0.05, 0.2, 0.0, 0.3, "seasonal_naive", None),
    ]
    got = payload.forecast(rows)
    assert list(got) == ["toxic_share", "posts"]
    assert got["posts"]["start"] == 3_600_000
    assert got["posts"]["expected"] == [4.0, 5.0]
    assert got["posts"]["p_anomaly"] == [50_000, None]
    assert got["toxic_share"]["upper_95"] == [30_000]


def test_an_episode_tells_its_terms_and_its_most_toxic_posts_once(
    anomaly: Callable[..., Anomaly], example: Callable[..., Example]
) -> None:
    found = episodes(
        [
            anomaly(hour=HOUR, metric="posts", score=9.0, terms=(), explained_share=None),
            anomaly(hour=HOUR, score=5.0, terms=("a\x00b", "x" * 200), explained_share=0.4),
        ]
    )
    posts = [
        example(hour=HOUR, post_id="x:1", toxicity=0.5, text="mild"),
        example(hour=HOUR, post_id="x:2", toxicity=0.9, text="y" * 1000),
        example(hour=HOUR, metric="posts", post_id="x:2", toxicity=0.9, text="y" * 1000),
        example(hour=HOUR, post_id="x:5", toxicity=0.4, text="mild"),
        example(hour=HOUR, post_id="x:3", toxicity=None, text=None),
        example(hour=9 * HOUR, post_id="x:4", toxicity=1.0),
    ]
    got = payload.episode(found[0], posts)
    assert [e["toxicity"] for e in got["examples"]] == [90_000, 50_000, None]
    assert got["examples"][0]["text"] == "y" * (MAX_TEXT - 1) + "…"
    assert got["examples"][2]["text"] is None
    assert [e["copies"] for e in got["examples"]] == [1, 2, 1]
    assert got["terms"][0] == "a\ufffdb"
    assert len(got["terms"][1]) == 80
    assert got["explained_share"] == 40_000
    assert [p["metric"] for p in got["peaks"]] == ["posts", "mean_toxicity"]


def test_examples_are_bounded(
    anomaly: Callable[..., Anomaly], example: Callable[..., Example]
) -> None:
    posts = [example(post_id=f"x:{i}", text=f"post {i}") for i in range(50)]
    assert len(payload.episode(episodes([anomaly()])[0], posts)["examples"]) == MAX_EXAMPLES


def test_only_the_last_episodes_are_kept(anomaly: Callable[..., Anomaly]) -> None:
    found = episodes([anomaly(hour=10 * i * HOUR) for i in range(MAX_EPISODES + 3)])
    got = payload.topic(TopicData("politics", [], [], [], [], [], found, []))
    assert got["episodes_left_out"] == 3
    assert [e["number"] for e in got["episodes"]][:1] == [4]
    assert len(got["episodes"]) == MAX_EPISODES


def test_a_topic_of_which_nothing_is_known_is_valid_json() -> None:
    got = payload.topic(TopicData("t\ud800", [], [], [], [], [], [], []))
    assert json.loads(json.dumps(got, allow_nan=False)) == {
        "name": "t\ufffd",
        "hourly": None,
        "labels": None,
        "week": None,
        "forecast": {},
        "episodes": [],
        "episodes_left_out": 0,
    }
