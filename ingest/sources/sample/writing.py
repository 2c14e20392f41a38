"""A sample of posts to try everything on: four weeks of three topics, with known incidents.

All of it is invented, from the project's own templates, and the same for the same seed.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import yaml

from ingest.sources.sample.incidents import INCIDENTS, PlantedIncident
from ingest.sources.sample.scene import Scene
from ingest.sources.sample.texts import TOPICS
from mltox.posts.records import HOUR, Micros

DEFAULT_START = datetime(2025, 9, 1, tzinfo=UTC)
"""A Monday. The sample covers the four weeks from here."""
WEEKS = timedelta(weeks=4)
"""What the sample covers."""


class SampleInfo(NamedTuple):
    """What was written, and what is in it.

    `rows` counts lines; `rejects` those by error type that hold no usable post; `duplicates` those
    that repeat an earlier line.
    """

    posts_path: Path
    topics_path: Path
    incidents_path: Path
    rows: int
    duplicates: int
    rejects: Mapping[str, int]
    incidents: tuple[PlantedIncident, ...]


def write_sample(
    path: Path, *, seed: int = 1, posts: int = 24_000, start: datetime = DEFAULT_START
) -> SampleInfo:
    """Writes the sample and, beside it, `topics.yaml` and `incidents.json`.

    `path` ends in `.jsonl` or `.jsonl.gz`; `posts` is about the number of posts; `start` must be a
    Monday at 00:00 UTC. `incidents.json` is a list of objects with topic, kind, metric, direction,
    start and end (RFC 3339, end excluded), terms and about. Raises ValueError for another start.
    """
    if start.utcoffset() is None or start.weekday() or start != _day_of(start):
        raise ValueError("the sample starts on a Monday at 00:00 UTC")
    origin: Micros = int(start.timestamp()) * 1_000_000
    scene = Scene(seed, posts, origin)
    lines = scene.lines()
    path.parent.mkdir(parents=True, exist_ok=True)
    content = b"\n".join(lines) + b"\n"
    # without a time stamp inside, so that the same sample is the same file
    path.write_bytes(gzip.compress(content, 6, mtime=0) if path.suffix == ".gz" else content)
    topics_path = path.with_name("topics.yaml")
    topics_path.write_text(_topics_yaml(), encoding="utf-8")
    incidents_path = path.with_name("incidents.json")
    incidents_path.write_text(
        json.dumps(list(_incident_rows(origin)), indent=1, ensure_ascii=False) + "\n",
        encoding="utf-8",
    )
    return SampleInfo(
        posts_path=path,
        topics_path=topics_path,
        incidents_path=incidents_path,
        rows=len(lines),
        duplicates=scene.duplicates,
        rejects=scene.rejects,
        incidents=INCIDENTS,
    )


def recent_start(now: datetime) -> datetime:
    """The start of a sample of the last four whole weeks."""
    today = _day_of(now)
    return today - timedelta(days=today.weekday()) - WEEKS


def _day_of(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _topics_yaml() -> str:
    topics = [
        {
            field: list(value) if isinstance(value, tuple) else value
            for field, value in topic._asdict().items()
            if value
        }
        for topic in TOPICS
    ]
    return yaml.safe_dump({"topics": topics}, sort_keys=False, allow_unicode=True)


def _incident_rows(origin: Micros) -> Iterator[dict[str, object]]:
    for incident in INCIDENTS:
        yield {
            "topic": incident.topic,
            "kind": incident.kind,
            "metric": incident.metric,
            "direction": incident.direction,
            "start": _rfc3339(origin + incident.start * HOUR),
            "end": _rfc3339(origin + (incident.start + incident.hours) * HOUR),
            "terms": list(incident.terms),
            "about": incident.about,
        }


def _rfc3339(stamp: Micros) -> str:
    return datetime.fromtimestamp(stamp // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
