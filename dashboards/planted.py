"""The incidents planted in the sample, held against those found."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from dashboards.errors import DashboardError
from dashboards.incidents import IncidentRun
from mltox.posts.records import SECOND, Micros


class Planted(NamedTuple):
    """`end` is excluded. `about` is one line for a reader, and may be empty."""

    topic: str
    start: Micros
    end: Micros
    metric: str
    direction: str
    kind: str
    about: str


def read_planted(path: Path) -> list[Planted]:
    """The incidents of a sample's side file (RFC 3339 times), by time. Raises DashboardError."""
    try:
        planted = [
            Planted(
                row["topic"],
                _micros(row["start"]),
                _micros(row["end"]),
                row["metric"],
                row["direction"],
                row["kind"],
                row.get("about", ""),
            )
            for row in json.loads(path.read_text(encoding="utf-8"))
        ]
    except OSError as error:
        raise DashboardError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DashboardError(f"{path} is not a list of planted incidents") from error
    return sorted(planted, key=lambda incident: (incident.start, incident.topic))


def _micros(at: str) -> Micros:
    moment = datetime.fromisoformat(at)
    if moment.tzinfo is None:
        raise ValueError("a time without a zone")
    return int(moment.timestamp()) * SECOND


def match(planted: Planted, found: Iterable[IncidentRun]) -> IncidentRun | None:
    """The first incident with an anomalous hour of the planted one's metric and direction in it."""
    for incident in found:
        for anomaly in incident.anomalies:
            if (anomaly.topic, anomaly.metric, anomaly.direction) == (
                planted.topic,
                planted.metric,
                planted.direction,
            ) and planted.start <= anomaly.hour < planted.end:
                return incident
    return None
