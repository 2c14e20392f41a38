"""What people are told of: one incident a spell of a topic, opened, updated, resolved.

Anomalous hours of a topic that lie within the cooldown are one incident, over all its metrics, with
one id. It is told when `least` of the last `of` hours were anomalous (M of N; 1 of 1: at once),
again when a further metric joins or it gets worse, and once when all of its metrics are ordinary.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from mltox.posts.records import HOUR, SECOND, Anomaly, Micros

COOLDOWN = 3 * HOUR
SEVERITIES = ("info", "warning", "critical")
NAMES = {"posts": "posts", "mean_toxicity": "mean toxicity", "toxic_share": "toxic share"}
MOST_ALERT_TERMS = 6


class Alert(NamedTuple):
    """`event` is opened, updated or resolved; `peaks` the strongest hour of each metric so far."""

    incident: str
    event: str
    topic: str
    start: Micros
    hour: Micros
    severity: str
    peaks: tuple[Anomaly, ...]


@dataclass
class _Going:
    id: str
    start: Micros
    last: Micros
    hours: set[Micros] = field(default_factory=set)
    open: set[str] = field(default_factory=set)
    peaks: dict[str, Anomaly] = field(default_factory=dict)
    told: str | None = None
    """The severity that was told last."""


def incident_id(topic: str, start: Micros) -> str:
    """The same as long as the incident's first hour is: topic and hour (UTC).

    >>> incident_id("dam", 0)[-11:]
    '-1970010100'
    """
    name = hashlib.sha256(topic.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{name}-{datetime.fromtimestamp(start // SECOND, UTC):%Y%m%d%H}"


class Incidents:
    """Takes anomalies as they are found, in order of time within a topic; says what is news."""

    def __init__(self, least: int = 1, of: int = 1, cooldown: Micros = COOLDOWN) -> None:
        """Raises ValueError where so many hours of so many can't be anomalous."""
        if not 1 <= least <= of:
            raise ValueError(f"{least} of {of} hours")
        self._least, self._of, self._cooldown = least, of, cooldown
        self._going: dict[str, _Going] = {}

    def take(self, anomaly: Anomaly) -> Alert | None:
        """The news that an anomaly is, if any."""
        going = self._going.get(anomaly.topic)
        if going is None or anomaly.hour - going.last > self._cooldown:
            if anomaly.status == "resolved":
                return None
            id_ = incident_id(anomaly.topic, anomaly.hour)
            going = self._going[anomaly.topic] = _Going(id_, anomaly.hour, anomaly.hour)
        if anomaly.status == "resolved":
            going.open.discard(anomaly.metric)
            if going.open or going.told is None:
                return None
            return self._alert(going, anomaly, "resolved")
        return self._heard(going, anomaly)

    def _heard(self, going: _Going, anomaly: Anomaly) -> Alert | None:
        joins = anomaly.metric not in going.peaks
        going.last = max(going.last, anomaly.hour)
        going.hours.add(anomaly.hour)
        going.open.add(anomaly.metric)
        peak = going.peaks.get(anomaly.metric)
        if peak is None or abs(anomaly.score) > abs(peak.score):
            going.peaks[anomaly.metric] = anomaly
        worst = max([anomaly.severity, *(p.severity for p in going.peaks.values())], key=_rank)
        if going.told is None:
            recent = sum(anomaly.hour - at < self._of * HOUR for at in going.hours)
            if recent < self._least:
                return None
            going.told = worst
            return self._alert(going, anomaly, "opened")
        if joins or _rank(worst) > _rank(going.told):
            going.told = worst
            return self._alert(going, anomaly, "updated")
        return None

    def _alert(self, going: _Going, anomaly: Anomaly, event: str) -> Alert:
        peaks = tuple(sorted(going.peaks.values(), key=lambda p: (-abs(p.score), p.metric)))
        severity = going.told or anomaly.severity
        return Alert(going.id, event, anomaly.topic, going.start, anomaly.hour, severity, peaks)


def _rank(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else 0


def slack_message(alert: Alert) -> dict[str, Any]:
    """An incoming webhook's JSON, as Slack, Mattermost and Teams' bridges take it. No post's text
    is in it; what people wrote (topics, terms) can neither link nor call anybody."""
    time = datetime.fromtimestamp(alert.hour // SECOND, UTC)
    head = f"{_plain(alert.topic)}: incident {alert.event}, {alert.severity}"
    lines = [_fact(peak) for peak in alert.peaks]
    terms = next((peak.terms for peak in alert.peaks if peak.terms), ())
    if terms and alert.event != "resolved":
        lines.append("Terms: " + ", ".join(_plain(term) for term in terms[:MOST_ALERT_TERMS]))
    foot = f"{time:%Y-%m-%d %H:%M} UTC, incident {alert.incident}"
    text = "\n".join([f"*{head}*", *lines, foot])
    return {
        "text": f"{head}; {lines[0]}" if lines else head,
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text[:2900]}}],
    }


def _fact(peak: Anomaly) -> str:
    def shown(value: float) -> str:
        if peak.metric == "toxic_share":
            return f"{value:.1%}"
        return f"{value:,.0f}" if peak.metric == "posts" else f"{value:.3f}"

    name = NAMES.get(peak.metric, peak.metric)
    return f"{name} {shown(peak.observed)}, expected {shown(peak.expected)}"


def _plain(text: str) -> str:
    """Slack reads <, >, & as marks of links and mentions, and *, _, ~, ` as styles."""
    out = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(c if c.isprintable() and c not in "*_~`" else " " for c in out)[:80]
