from collections.abc import Callable
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from dashboards.incidents import IncidentRun, incidents
from mltox.detection.alerts import COOLDOWN
from mltox.posts.records import HOUR, Anomaly

AnomalyOf = Callable[..., Anomaly]


def test_hours_close_together_are_one_incident(anomaly: AnomalyOf) -> None:
    rows = [anomaly(hour=h * HOUR) for h in (10, 11, 14, 18, 40)]
    found = incidents(rows)
    assert [[a.hour // HOUR for a in e.anomalies] for e in found] == [[10, 11, 14], [18], [40]]
    assert [e.number for e in found] == [1, 2, 3]
    assert (found[0].start, found[0].end) == (10 * HOUR, 15 * HOUR)


def test_metrics_of_a_topic_share_an_incident_and_topics_do_not(anomaly: AnomalyOf) -> None:
    rows = [
        anomaly(topic="a", metric="posts", hour=HOUR, score=3.0),
        anomaly(topic="a", metric="posts", hour=2 * HOUR, score=-9.0, direction="down"),
        anomaly(topic="a", metric="toxic_share", hour=2 * HOUR, score=4.0),
        anomaly(topic="b", metric="posts", hour=HOUR),
    ]
    found = incidents(rows)
    assert [(e.topic, e.number, len(e.anomalies)) for e in found] == [("a", 1, 3), ("b", 1, 1)]
    assert [(p.metric, p.score) for p in found[0].peaks()] == [
        ("posts", -9.0),
        ("toxic_share", 4.0),
    ]


def test_an_incident_is_ongoing_until_each_metric_is_resolved(anomaly: AnomalyOf) -> None:
    first = anomaly(metric="posts", hour=HOUR, status="open")
    last = anomaly(metric="posts", hour=2 * HOUR, status="resolved")
    other = anomaly(metric="toxic_share", hour=2 * HOUR, status="updated")
    assert not incidents([first, last])[0].ongoing(3 * HOUR)
    assert incidents([first, last, other])[0].ongoing(3 * HOUR)
    assert incidents([]) == []


def test_what_has_been_quiet_for_the_cooldown_does_not_go_on(anomaly: AnomalyOf) -> None:
    """A burst that was never resolved, for nothing came after it, ended all the same."""
    [burst] = incidents([anomaly(hour=10 * HOUR, status="updated")])
    assert burst.ongoing(11 * HOUR)
    assert burst.ongoing(11 * HOUR + COOLDOWN)
    assert not burst.ongoing(11 * HOUR + COOLDOWN + 1)
    assert not burst.ongoing(11 * HOUR + 144 * HOUR)


def test_a_peak_is_the_hour_farthest_out_and_not_that_of_the_greatest_score(
    anomaly: AnomalyOf,
) -> None:
    rows = [
        anomaly(metric="posts", hour=1 * HOUR, observed=101.0, score=6.0),
        anomaly(metric="posts", hour=3 * HOUR, observed=75.0, score=9.0),
        anomaly(metric="posts", hour=4 * HOUR, observed=2.0, score=-5.0, direction="down"),
    ]
    [peak] = incidents(rows)[0].peaks()
    assert (peak.hour, peak.observed) == (HOUR, 101.0)
    [low] = incidents([row._replace(score=-row.score, direction="down") for row in rows[:2]])[
        0
    ].peaks()
    assert low.observed == 75.0


def test_an_id_stays_while_the_incident_goes_on(anomaly: AnomalyOf) -> None:
    [first] = incidents([anomaly(hour=5 * HOUR)])
    [later] = incidents([anomaly(hour=5 * HOUR), anomaly(hour=6 * HOUR, metric="posts")])
    [other] = incidents([anomaly(hour=5 * HOUR, topic="another")])
    assert first.id == later.id
    assert first.id.endswith("-1970010105")
    assert other.id != first.id


def test_what_was_said_at_the_time_stands_before_what_was_said_afterwards(
    anomaly: AnomalyOf,
) -> None:
    rows = [
        anomaly(hour=HOUR, detector="retrospective", score=9.0),
        anomaly(hour=HOUR, detector="seasonal_4h", score=5.0),
        anomaly(hour=2 * HOUR, detector="retrospective"),
    ]
    [both] = incidents(rows)
    assert [a.detector for a in both.anomalies] == ["seasonal_4h", "retrospective"]
    assert not both.only_afterwards
    assert incidents(rows[2:])[0].only_afterwards
    # Nobody was told while it went on, so it does not go on.
    assert not IncidentRun("t", 1, (rows[2],)).ongoing(3 * HOUR)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 60)), unique=True), st.randoms())
def test_every_anomaly_is_in_one_incident_whatever_the_order(
    keys: list[tuple[str, int]], random: Random
) -> None:
    rows = [_anomaly(topic, hour * HOUR) for topic, hour in keys]
    shuffled = list(rows)
    random.shuffle(shuffled)
    found = incidents(shuffled)
    assert found == incidents(rows)
    assert sorted(a for e in found for a in e.anomalies) == sorted(rows)
    for before, after in pairwise(found):
        if before.topic == after.topic:
            assert after.start - before.anomalies[-1].hour > COOLDOWN


def _anomaly(topic: str, hour: int) -> Anomaly:
    return Anomaly(
        topic, hour, "posts", 9.0, 3.0, 1.0, 5.0, 4.0, "info", "up", "d", "open", (), (), 0.5, 0
    )
