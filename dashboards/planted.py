"""The incidents planted in the sample, held against the episodes found."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from dashboards.episodes import Episode
from dashboards.errors import DashboardError
from pipelines.records import SECOND, Micros


class Planted(NamedTuple):
    topic: str
    start: Micros
    end: Micros
    metric: str
    kind: str


def read_planted(path: Path) -> list[Planted]:
    """The incidents of a sample's side file, by time. Raises DashboardError."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        rows = found["incidents"] if isinstance(found, dict) else found
        planted = [
            Planted(r["topic"], _micros(r["start"]), _micros(r["end"]), r["metric"], r["kind"])
            for r in rows
        ]
    except OSError as error:
        raise DashboardError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DashboardError(f"{path} is not a list of planted incidents: {error!r}") from error
    return sorted(planted, key=lambda incident: (incident.start, incident.topic))


def _micros(at: Any) -> Micros:
    if isinstance(at, str):
        return round(datetime.fromisoformat(at).timestamp()) * SECOND
    return int(at)


def match(planted: Planted, episodes: Iterable[Episode]) -> Episode | None:
    """The first episode with an anomalous hour of the incident's metric within the incident.

    Mean toxicity and toxic share stand for each other: both say that posts were more toxic.
    """
    for episode in episodes:
        for anomaly in episode.anomalies:
            same = (anomaly.metric == "posts") == (planted.metric == "posts")
            if (
                anomaly.topic == planted.topic
                and same
                and planted.start <= anomaly.hour < planted.end
            ):
                return episode
    return None
