"""A topic's weeks through the monitor: what opens, goes on, closes, and why."""

from __future__ import annotations

import pickle
from collections.abc import Container, Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mltox.detection.memory import memory_of, monitor_of
from mltox.detection.monitor import METRICS, MonitorSettings, TopicMonitor
from mltox.posts.records import HOUR, Anomaly, EvidencePost, HourlyToxicity, HourSummary

USUAL = ("late tram again", "nice driver today", "where is my bus", "new timetable is out")
HOSTILE = ("you tunnel clowns", "tunnel scum, resign", "idiots built that tunnel")


def summary(
    hour: int,
    posts: int,
    mean: float | None = None,
    share: float | None = None,
    texts: tuple[str, ...] = (),
    toxic: tuple[str, ...] = (),
    unscored: int = 0,
) -> HourSummary:
    row = HourlyToxicity(
        topic="transit",
        hour=hour * HOUR,
        model="m",
        posts=posts,
        posts_unscored=unscored,
        authors=posts,
        mean_toxicity=mean,
        toxic_share=share,
        p90_toxicity=None,
        mean_severe_toxicity=None,
        mean_obscene=None,
        mean_threat=None,
        mean_insult=None,
        mean_identity_attack=None,
        mean_sexual_explicit=None,
        revision=0,
        is_final=True,
        updated_at=(hour + 2) * HOUR,
    )

    def evidence(kind: str, texts: tuple[str, ...]) -> tuple[EvidencePost, ...]:
        return tuple(EvidencePost(f"{kind}:{hour}:{i}", t, 0.9) for i, t in enumerate(texts))

    hostile = evidence("toxic", toxic)
    return HourSummary(row, evidence("any", texts) + hostile, hostile, hostile[:3])


def month(surge: Container[int] = (), seed: int = 0, hours: int = 672) -> Iterator[HourSummary]:
    """Forty posts an hour, a tenth of them toxic; in the surge half, about a tunnel."""
    rng = np.random.default_rng(seed)
    for hour in range(hours):
        posts = int(rng.poisson(40)) + 1
        toxic = int(rng.binomial(posts, 0.5 if hour in surge else 0.1))
        texts = tuple(rng.choice(USUAL, posts - toxic))
        hostile = tuple(rng.choice(HOSTILE if hour in surge else ("idiot driver",), toxic))
        share = toxic / posts
        yield summary(hour, posts, 0.05 + 0.8 * share, share, texts, hostile)


def watch(monitor: TopicMonitor, hours: Iterator[HourSummary]) -> list[Anomaly]:
    return [anomaly for hour in hours for anomaly in monitor.observe(hour)]


def test_a_known_incident_opens_goes_on_and_is_resolved() -> None:
    found = watch(TopicMonitor("transit"), month(range(500, 504)))
    shares = [a for a in found if a.metric == "toxic_share"]
    assert [(a.hour // HOUR, a.status) for a in shares] == [
        (500, "open"),
        (501, "updated"),
        (502, "updated"),
        (503, "updated"),
        (503, "resolved"),
    ]
    assert shares[4] == shares[3]._replace(status="resolved", updated_at=506 * HOUR)
    assert {a.metric for a in found} == {"toxic_share", "mean_toxicity"}


def test_an_anomaly_says_why() -> None:
    found = watch(TopicMonitor("transit"), month(range(500, 504)))
    first = next(a for a in found if a.metric == "toxic_share")
    assert first.topic == "transit"
    assert first.direction == "up"
    assert first.severity in ("warning", "critical")
    assert first.observed > first.upper > first.expected > first.lower >= 0
    assert "tunnel" in first.terms
    assert first.example_post_ids
    assert all(post_id.startswith("toxic:500:") for post_id in first.example_post_ids)
    assert first.explained_share is not None
    assert first.explained_share > 0.8


def test_the_words_of_the_first_hour_still_explain_the_last() -> None:
    found = watch(TopicMonitor("transit"), month(range(500, 504)))
    assert all("tunnel" in a.terms for a in found if a.hour >= 500 * HOUR)


def test_history_without_samples_teaches_and_judges() -> None:
    bare = (
        hour._replace(sample=(), toxic_sample=(), examples=()) for hour in month(range(500, 504))
    )
    found = watch(TopicMonitor("transit"), bare)
    assert {a.hour // HOUR for a in found} == {500, 501, 502, 503}
    assert all(a.terms == () and a.explained_share is None for a in found)


def test_missing_hours_are_hours_of_no_posts() -> None:
    monitor = TopicMonitor("transit")
    hours = [hour for hour in month() if hour.row.hour // HOUR not in range(600, 605)]
    found = [a for a in watch(monitor, iter(hours)) if a.metric == "posts"]
    assert next((a.hour // HOUR, a.status) for a in found) == (600, "open")
    assert {a.hour // HOUR for a in found} == set(range(600, 605))
    assert {a.direction for a in found} == {"down"}
    assert all(a.observed == 0 and a.terms == () for a in found)


def test_a_long_gap_is_no_observation() -> None:
    monitor = TopicMonitor("transit")
    hours = [hour for hour in month() if hour.row.hour // HOUR not in range(300, 600)]
    assert watch(monitor, iter(hours)) == []


def test_an_hour_is_judged_once() -> None:
    monitor = TopicMonitor("transit")
    watch(monitor, month(hours=400))
    before = pickle.dumps(monitor)
    assert monitor.observe(summary(200, 100_000, 0.9, 0.9)) == []
    assert monitor.observe(summary(399, 100_000, 0.9, 0.9)) == []
    assert pickle.dumps(monitor) == before


def test_posts_of_other_languages_count_as_posts_only() -> None:
    monitor = TopicMonitor("transit")
    for hour in range(400):
        assert monitor.observe(summary(hour, 40, unscored=40)) == []
    found = monitor.observe(summary(400, 400, unscored=400))
    assert [a.metric for a in found] == ["posts"]


def test_a_copy_taken_mid_stream_goes_on_alike() -> None:
    hours = list(month(range(500, 504)))
    monitor = TopicMonitor("transit")
    watch(monitor, iter(hours[:502]))
    copy = pickle.loads(pickle.dumps(monitor))
    rest = watch(monitor, iter(hours[502:]))
    assert watch(copy, iter(hours[502:])) == rest != []
    assert len(pickle.dumps(monitor)) < 50_000


def test_normal_months_are_quiet() -> None:
    opened = [
        anomaly
        for seed in range(6)
        for anomaly in watch(TopicMonitor("transit"), month(seed=seed))
        if anomaly.status == "open"
    ]
    # one a topic and month, metrics that tell the same together: within a factor of two
    assert len({a.hour for a in opened}) <= 2 * 6


@settings(deadline=None, max_examples=30)
@given(
    st.lists(
        st.tuples(st.integers(1, 30), st.integers(0, 5000), st.integers(0, 5000), st.floats(0, 1)),
        min_size=1,
        max_size=60,
    )
)
def test_any_hours_are_watched_in_order_and_the_story_holds(
    steps: list[tuple[int, int, int, float]],
) -> None:
    monitor = TopicMonitor("transit")
    watch(monitor, month(hours=90))
    hour, statuses = 89, dict.fromkeys(METRICS, "resolved")
    last = 0
    for gap, scored, unscored, share in steps:
        hour += gap
        known = share if scored else None
        for a in monitor.observe(summary(hour, scored + unscored, known, known, unscored=unscored)):
            assert a.hour >= last or a.status == "resolved"
            last = max(last, a.hour)
            if a.status == "open":
                assert statuses[a.metric] == "resolved"
            statuses[a.metric] = a.status
            assert a.lower <= a.expected <= a.upper
            assert not a.lower <= a.observed <= a.upper


def test_an_incident_that_flares_up_again_is_the_same() -> None:
    surges = [*range(500, 503), *range(506, 508)]
    found = watch(TopicMonitor("transit"), month(surges))
    shares = [a for a in found if a.metric == "toxic_share" and a.hour >= 500 * HOUR]
    assert [a.status for a in shares].count("open") == 1
    assert shares[-1].status == "resolved"


def test_a_silence_while_others_speak_is_told_of_hour_by_hour() -> None:
    monitor = TopicMonitor("transit")
    watch(monitor, month(hours=500))
    found = [a for h in range(500, 510) for a in monitor.observe_silence(h * HOUR, h * HOUR)]
    assert [a.status for a in found] == ["open"] + ["updated"] * (len(found) - 1)
    assert {(a.metric, a.direction) for a in found} == {("posts", "down")}
    assert all(a.detector.startswith("silence_") for a in found)
    assert found[-1].hour == 509 * HOUR
    after = watch(monitor, (h for h in month(hours=540) if h.row.hour >= 510 * HOUR))
    assert [a.status for a in after if a.metric == "posts"] == ["resolved"]


def test_a_silence_that_is_told_while_it_lasts_is_the_one_that_is_told_afterwards() -> None:
    """Hour by hour, or when posts come back: the same verdicts, and the same afterwards."""
    hours = [h for h in month(hours=560) if h.row.hour // HOUR not in range(500, 520)]
    waiting = TopicMonitor("transit")
    later = watch(waiting, iter(hours))
    asked = TopicMonitor("transit")
    found = watch(asked, (h for h in hours if h.row.hour < 500 * HOUR))
    for hour in range(500, 520, 3):  # some hours in which others spoke, the last one among them
        found += asked.observe_silence(min(hour, 519) * HOUR, 522 * HOUR)
    found += watch(asked, (h for h in hours if h.row.hour >= 520 * HOUR))
    assert found == later
    assert any(a.metric == "posts" and a.direction == "down" for a in found)
    assert pickle.dumps(memory_of(asked)) == pickle.dumps(memory_of(waiting))


def test_a_topic_that_is_silent_for_a_week_is_gone() -> None:
    monitor = TopicMonitor("transit")
    watch(monitor, month(hours=500))
    for hour in range(500, 900):
        monitor.observe_silence(hour * HOUR, hour * HOUR)
    assert monitor.last_hour == (500 + 168 - 1) * HOUR
    assert monitor_of(memory_of(monitor)).hours_without_posts == 168
    assert monitor.has_ended(668 * HOUR)


def test_a_copy_apart_can_be_silent_alone() -> None:
    monitor = TopicMonitor("transit")
    watch(monitor, month(hours=500))
    before = pickle.dumps(memory_of(monitor))
    other = monitor.apart()
    assert [a for h in range(500, 510) for a in other.observe_silence(h * HOUR, 0)]
    assert pickle.dumps(memory_of(monitor)) == before
    assert other._said is monitor._said


def test_a_topic_that_never_spoke_is_not_silent() -> None:
    assert TopicMonitor("transit").observe_silence(5 * HOUR, 5 * HOUR) == []


@pytest.mark.parametrize("gap", [24, 72, 168, 400])
def test_posts_that_come_back_after_a_gap_are_no_flood(gap: int) -> None:
    monitor = TopicMonitor("transit")
    back = 400 + gap
    hours = [h for h in month(hours=back + 72) if not 400 <= h.row.hour // HOUR < back]
    found = [a for a in watch(monitor, iter(hours)) if a.hour >= back * HOUR]
    assert len([a for a in found if a.status == "open"]) <= 1


def test_statuses_tell_which_hours_were_judged() -> None:
    monitor = TopicMonitor("transit")
    told = []
    for hour in month(hours=80):
        monitor.observe(hour)
        told.append(monitor.statuses["toxic_share"])
    assert told == ["unjudged"] * 6 + ["early"] * 66 + ["judged"] * 8
    monitor.observe(summary(80, 40, unscored=40))
    assert monitor.statuses == {
        "posts": "judged", "mean_toxicity": "unjudged", "toxic_share": "unjudged",
    }  # fmt: skip


def test_what_is_no_number_silences_nothing() -> None:
    monitor = TopicMonitor("transit")
    watch(monitor, month(hours=500))
    assert monitor.observe(summary(500, 40, float("nan"), float("nan"))) == []
    assert monitor.refused == 2
    found = monitor.observe(summary(501, 40, 0.5, 0.6))
    assert {a.metric for a in found} == {"mean_toxicity", "toxic_share"}


def test_a_cascade_of_one_text_is_one_post() -> None:
    """Forty copies of a toxic text are no evidence that the talk turned; forty texts are."""
    for texts, metrics in (
        (("you clowns",) * 40, set()),
        (tuple(f"you clowns {n}" for n in range(40)), {"mean_toxicity", "toxic_share"}),
    ):
        monitor = TopicMonitor("transit")
        watch(monitor, month(hours=500))
        found = monitor.observe(summary(500, 40, 0.8, 0.9, toxic=texts))
        assert {a.metric for a in found} == metrics


def test_other_settings_are_adopted_and_nothing_is_forgotten() -> None:
    monitor = TopicMonitor("transit")
    watch(monitor, month(hours=500))
    monitor.adopt(MonitorSettings(false_alarms_per_month=1e-9))
    assert monitor.observe(summary(500, 60, 0.25, 0.3)) == []
    monitor.adopt(MonitorSettings(false_alarms_per_month=50.0))
    assert monitor.observe(summary(501, 60, 0.25, 0.3)) != []
