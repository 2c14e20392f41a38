from collections.abc import Callable
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from dashboards.episodes import MAX_GAP, episodes
from mltox.posts.records import HOUR, Anomaly

AnomalyOf = Callable[..., Anomaly]


def test_hours_close_together_are_one_episode(anomaly: AnomalyOf) -> None:
    rows = [anomaly(hour=h * HOUR) for h in (10, 11, 14, 18, 40)]
    found = episodes(rows)
    assert [[a.hour // HOUR for a in e.anomalies] for e in found] == [[10, 11, 14], [18], [40]]
    assert [e.number for e in found] == [1, 2, 3]
    assert (found[0].start, found[0].end) == (10 * HOUR, 15 * HOUR)


def test_metrics_of_a_topic_share_an_episode_and_topics_do_not(anomaly: AnomalyOf) -> None:
    rows = [
        anomaly(topic="a", metric="posts", hour=HOUR, score=3.0),
        anomaly(topic="a", metric="posts", hour=2 * HOUR, score=-9.0),
        anomaly(topic="a", metric="toxic_share", hour=2 * HOUR, score=4.0),
        anomaly(topic="b", metric="posts", hour=HOUR),
    ]
    found = episodes(rows)
    assert [(e.topic, e.number, len(e.anomalies)) for e in found] == [("a", 1, 3), ("b", 1, 1)]
    assert [(p.metric, p.score) for p in found[0].peaks()] == [
        ("posts", -9.0),
        ("toxic_share", 4.0),
    ]


def test_an_episode_is_ongoing_until_each_metric_is_resolved(anomaly: AnomalyOf) -> None:
    first = anomaly(metric="posts", hour=HOUR, status="open")
    last = anomaly(metric="posts", hour=2 * HOUR, status="resolved")
    other = anomaly(metric="toxic_share", hour=2 * HOUR, status="updated")
    assert not episodes([first, last])[0].ongoing
    assert episodes([first, last, other])[0].ongoing
    assert episodes([]) == []


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 60)), unique=True), st.randoms())
def test_every_anomaly_is_in_one_episode_whatever_the_order(
    keys: list[tuple[str, int]], random: Random
) -> None:
    rows = [_anomaly(topic, hour * HOUR) for topic, hour in keys]
    shuffled = list(rows)
    random.shuffle(shuffled)
    found = episodes(shuffled)
    assert found == episodes(rows)
    assert sorted(a for e in found for a in e.anomalies) == sorted(rows)
    for before, after in pairwise(found):
        if before.topic == after.topic:
            assert after.start - before.anomalies[-1].hour > MAX_GAP


def _anomaly(topic: str, hour: int) -> Anomaly:
    return Anomaly(
        topic, hour, "posts", 9.0, 3.0, 1.0, 5.0, 4.0, "info", "up", "d", "open", (), (), 0.5, 0
    )
