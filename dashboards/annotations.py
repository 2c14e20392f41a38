"""Known events (debates, elections, matches) that charts and incidents are read beside.

A YAML file holds a list of them:

    - title: First debate
      start: 2026-09-29T01:00Z
      end: 2026-09-29T02:30Z      # left out: an hour
      topics: [election]          # left out: all topics
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from dashboards.errors import DashboardError
from mltox.posts.records import DAY, HOUR, SECOND, Micros

NEAR = 3 * HOUR
"""An incident that begins so long after an event is still read beside it."""
ANNOTATION_FIELDS = {"title", "start", "end", "topics"}


class Annotation(NamedTuple):
    """[start, end); of every topic where `topics` is empty."""

    title: str
    start: Micros
    end: Micros
    topics: tuple[str, ...] = ()

    def concerns(self, topic: str) -> bool:
        return not self.topics or topic in self.topics

    def touches(self, start: Micros, end: Micros) -> bool:
        return self.start < end and start < self.end + NEAR


def read_annotations(path: Path) -> list[Annotation]:
    """The events of a file, by time. Raises DashboardError with the entry at fault."""
    try:
        rows = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DashboardError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, yaml.YAMLError) as error:
        line = f", line {mark.line + 1}" if (mark := getattr(error, "problem_mark", None)) else ""
        raise DashboardError(f"{path} is no YAML file{line}") from error
    if not isinstance(rows, list):
        raise DashboardError(f"{path} is not a list of events")
    found = [_event(path, number, row) for number, row in enumerate(rows, start=1)]
    return sorted(found, key=lambda event: (event.start, event.title))


def _event(path: Path, number: int, row: Any) -> Annotation:
    def wrong(why: str) -> DashboardError:
        return DashboardError(f"{path}, event {number}: {why}")

    if not isinstance(row, dict):
        raise wrong("is not a mapping with title and start")
    unknown = sorted(map(str, row.keys() - ANNOTATION_FIELDS))
    if unknown:
        raise wrong(f"has no field {unknown[0]!r}; there are title, start, end, topics")
    title, topics = row.get("title"), row.get("topics", [])
    if not (isinstance(title, str) and title.strip()):
        raise wrong("has no title")
    if isinstance(topics, str):
        topics = [topics]
    if not (isinstance(topics, list) and all(isinstance(topic, str) for topic in topics)):
        raise wrong("topics is not a list of names")
    start = _micros(row.get("start"))
    if start is None:
        raise wrong("start is no time such as 2026-05-01T12:00Z")
    whole_day = not isinstance(row.get("start"), datetime | str)
    end = start + (DAY if whole_day else HOUR)
    if "end" in row:
        given = _micros(row["end"])
        if given is None or given <= start:
            raise wrong("end is no time after start")
        end = given
    return Annotation(title.strip(), start, end, tuple(topics))


def _micros(value: Any) -> Micros | None:
    """A time with a zone; a day is its first moment, UTC. YAML reads times without a zone as UTC,
    and says so of none: these are taken as UTC as well."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return int(moment.timestamp()) * SECOND
    if isinstance(value, date):
        return (value - date(1970, 1, 1)).days * DAY
    return None
