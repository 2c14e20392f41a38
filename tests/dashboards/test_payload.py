import json
from collections.abc import Callable

from dashboards import payload
from dashboards.annotations import Annotation
from dashboards.incidents import incidents
from dashboards.judged import GAP, JUDGED, UNJUDGED, HourStatuses
from dashboards.payload import (
    MAX_EXAMPLES,
    MAX_HOURS,
    MAX_INCIDENTS,
    MAX_POST_TEXT,
    MAX_STEPS,
    TopicData,
)
from dashboards.queries import Day, ExamplePost, Hour, LabelDay, Step
from mltox.detection.gaps import HourSpan
from mltox.posts.records import HOUR, Anomaly, Forecast

EMPTY = TopicData("t")


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
        "scored": [3, 0, 1],
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


def test_steps_are_places_from_the_first() -> None:
    minute = 60_000_000
    rows = [Step("t", 35 * minute, 4, 1, 0.25, None), Step("t", 50 * minute, 2, 0, 0.5, 0.5)]
    assert payload.steps(rows) == {
        "start": 35 * 60_000,
        "at": [0, 3],
        "posts": [4, 2],
        "scored": [3, 2],
        "mean_toxicity": [25_000, 50_000],
        "toxic_share": [None, 50_000],
    }
    assert payload.steps([]) is None
    assert payload.steps([rows[0]] * (MAX_STEPS + 1)) is None


def test_forecasts_are_in_the_order_of_their_hours() -> None:
    rows = [
        Forecast("t", "posts", 0, 2 * HOUR, 5.04, 4, 6, 3, 7, "prophet", None),
        Forecast("t", "posts", 0, 1 * HOUR, 4.0, 3, 5, 2, 6, "prophet", 0.5),
        Forecast("t", "toxic_share", 0, 1 * HOUR, 0.1, 0.05, 0.2, 0.0, 0.3, "seasonal_naive", None),
    ]
    got = payload.forecast_block(rows)
    assert list(got) == ["toxic_share", "posts"]
    assert got["posts"]["start"] == 3_600_000
    assert got["posts"]["expected"] == [4.0, 5.0]
    assert got["posts"]["p_anomaly"] == [50_000, None]
    assert got["toxic_share"]["upper_95"] == [30_000]


def test_an_incident_tells_its_terms_and_its_most_toxic_posts_once(
    anomaly: Callable[..., Anomaly], example: Callable[..., ExamplePost]
) -> None:
    found = incidents(
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
    got = payload.incident(found[0], posts, EMPTY, 9 * HOUR)
    assert [e["toxicity"] for e in got["examples"]] == [90_000, 50_000, None]
    assert got["examples"][0]["text"] == "y" * (MAX_POST_TEXT - 1) + "…"
    assert got["examples"][2]["text"] is None
    assert [e["copies"] for e in got["examples"]] == [1, 2, 1]
    assert got["terms"][0] == "a\ufffdb"
    assert len(got["terms"][1]) == 80
    assert got["explained_share"] == 40_000
    assert [p["metric"] for p in got["peaks"]] == ["posts", "mean_toxicity"]


def test_examples_are_bounded(
    anomaly: Callable[..., Anomaly], example: Callable[..., ExamplePost]
) -> None:
    posts = [example(post_id=f"x:{i}", text=f"post {i}") for i in range(50)]
    assert (
        len(payload.incident(incidents([anomaly()])[0], posts, EMPTY, 0)["examples"])
        == MAX_EXAMPLES
    )


def test_only_the_last_incidents_are_kept(anomaly: Callable[..., Anomaly]) -> None:
    found = incidents([anomaly(hour=10 * i * HOUR) for i in range(MAX_INCIDENTS + 3)])
    got = payload.topic_block(TopicData("politics", incidents=found), 0)
    assert got["incidents_left_out"] == 3
    assert [e["number"] for e in got["incidents"]][:1] == [4]
    assert len(got["incidents"]) == MAX_INCIDENTS


def test_a_surge_of_posts_shows_what_its_explanation_chose_and_not_the_most_toxic(
    anomaly: Callable[..., Anomaly], example: Callable[..., ExamplePost]
) -> None:
    found = incidents([anomaly(metric="posts", terms=("goal",))])
    posts = [
        example(metric="posts", post_id="x:1", rank=1, toxicity=0.1, text="what a goal"),
        example(metric="posts", post_id="x:2", rank=2, toxicity=0.9, text="the fools"),
        example(metric="toxic_share", post_id="x:3", rank=1, toxicity=0.95, text="worse"),
    ]
    got = payload.incident(found[0], posts, EMPTY, 0)
    assert [e["text"] for e in got["examples"]] == ["what a goal", "the fools"]
    assert got["examples"][0]["link"] == "https://x.com/i/status/1"


def test_events_stand_beside_the_incidents_that_they_touch(
    anomaly: Callable[..., Anomaly],
) -> None:
    found = incidents([anomaly(hour=10 * HOUR)])
    events = [
        Annotation("a debate", 8 * HOUR, 9 * HOUR),
        Annotation("a match", 0, HOUR),
        Annotation("later", 11 * HOUR, 12 * HOUR),
    ]
    got = payload.topic_block(TopicData("politics", incidents=found, annotations=events), 0)
    assert got["incidents"][0]["events"] == ["a debate"]
    assert [event["title"] for event in got["events"]] == ["a debate", "a match", "later"]


def test_what_was_judged_goes_with_the_topic() -> None:
    runs = ((UNJUDGED, 72), (JUDGED, 20), (GAP, 8))
    data = TopicData("t", judged=HourStatuses(0, runs), gaps=[HourSpan(92 * HOUR, 100 * HOUR)])
    got = payload.topic_block(data, 0)
    assert got["judged"] == [["unjudged", 72], ["judged", 20], ["gap", 8]]
    assert got["judged_text"].startswith("20 of 100 hours were judged, 72 were not")
    assert got["gaps"] == [[92 * 3_600_000, 100 * 3_600_000]]


def test_a_topic_of_which_nothing_is_known_is_valid_json() -> None:
    got = payload.topic_block(TopicData("t\ud800"), 0)
    assert json.loads(json.dumps(got, allow_nan=False)) == {
        "name": "t\ufffd",
        "hourly": None,
        "steps": None,
        "daily": None,
        "labels": None,
        "forecast": {},
        "why_no_forecast": {},
        "judged": [],
        "judged_text": "",
        "gaps": [],
        "events": [],
        "incidents": [],
        "incidents_left_out": 0,
    }
