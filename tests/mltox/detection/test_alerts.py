"""One incident over metrics and hours: told when it opens, gets worse, and ends."""

from __future__ import annotations

from typing import Any

import pytest

from mltox.detection.alerts import COOLDOWN, Alert, Incidents, incident_id, slack_message
from mltox.posts.records import HOUR, Anomaly

PLAIN = Anomaly(
    "dam", 0, "toxic_share", 0.4, 0.1, 0.0, 0.2, 5.0, "warning", "up", "seasonal_1h", "open",
    ("burst",), (), None, 0,
)  # fmt: skip


def at(hour: int, metric: str = "toxic_share", **fields: Any) -> Anomaly:
    return PLAIN._replace(hour=hour * HOUR, metric=metric, **fields)


def events(feed: Incidents, *anomalies: Anomaly) -> list[str | None]:
    return [alert and alert.event for alert in map(feed.take, anomalies)]


def test_metrics_and_hours_are_one_incident_with_one_id() -> None:
    feed = Incidents()
    alerts = [feed.take(each) for each in (at(5), at(6, "posts"), at(6), at(8, "posts"))]
    told = [alert for alert in alerts if alert]
    assert [alert.event for alert in told] == ["opened", "updated"]
    assert {alert.incident for alert in told} == {incident_id("dam", 5 * HOUR)}
    assert [peak.metric for peak in told[1].peaks] == ["posts", "toxic_share"]


def test_it_is_resolved_once_with_its_last_metric() -> None:
    feed = Incidents()
    said = events(
        feed, at(5), at(5, "posts"), at(5, status="resolved"), at(6, "posts", status="resolved")
    )
    assert said == ["opened", "updated", None, "resolved"]


def test_what_gets_worse_is_told_again_and_what_goes_on_is_not() -> None:
    said = events(
        Incidents(), at(1), at(2), at(3, severity="critical"), at(4, severity="critical"), at(5)
    )
    assert said == ["opened", None, "updated", None, None]


def test_within_the_cooldown_it_is_the_same_incident() -> None:
    feed = Incidents()
    feed.take(at(1))
    feed.take(at(1, status="resolved"))
    assert feed.take(at(1 + COOLDOWN // HOUR)) is None
    again = feed.take(at(2 + 2 * COOLDOWN // HOUR))
    assert again and again.event == "opened"
    assert again.incident != incident_id("dam", HOUR)


@pytest.mark.parametrize(
    ("rule", "hours", "told_at"),
    [((1, 1), (1, 2, 3), 1), ((2, 3), (1, 3), 3), ((2, 3), (1, 4), None), ((3, 3), (1, 2, 3), 3)],
)
def test_m_of_n_hours(rule: tuple[int, int], hours: tuple[int, ...], told_at: int | None) -> None:
    feed = Incidents(*rule)
    told = [hour for hour in hours if feed.take(at(hour))]
    assert told == ([] if told_at is None else [told_at])


def test_an_incident_that_nobody_was_told_of_is_not_resolved_either() -> None:
    assert events(Incidents(2, 3), at(1), at(1, status="resolved")) == [None, None]


@pytest.mark.parametrize("rule", [(0, 1), (2, 1), (-1, 3)])
def test_so_many_of_so_many_must_make_sense(rule: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="of"):
        Incidents(*rule)


def test_topics_do_not_mix() -> None:
    feed = Incidents()
    assert events(feed, at(1), at(1, topic="other")) == ["opened", "opened"]


def test_the_message_names_what_how_much_and_why_and_links_nothing() -> None:
    hostile = at(1, topic="<!channel> *x* <https://evil|y>", terms=("<@U1>", "a\nb", "`c`"))
    alert = Incidents().take(hostile)
    assert isinstance(alert, Alert)
    text = slack_message(alert)["blocks"][0]["text"]["text"]
    assert "incident opened, warning" in text
    assert "toxic share 40.0%, expected 10.0%" in text
    assert "Terms: " in text
    assert "<" not in text and "`" not in text
    assert "&lt;!channel&gt;" in text
    assert text.count("\n") == 3
