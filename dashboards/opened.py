"""An opened hour or span as JSON, for the served page and for the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from dashboards.incidents import IncidentRun
from dashboards.queries import Hour
from dashboards.text import clipped, visible
from mltox.evidence.links import link_of
from mltox.evidence.span import Evidence, PostWorthReading, StoredPost
from mltox.evidence.stored import FoundPosts, Opened
from mltox.posts.records import Micros

SCALE = 100_000
MAX_OPENED_TEXT = 500
FILE_HOURS = 150
FILE_BYTES = 3_000_000
"""A file holds the posts of so many hours of all topics at most, the telling ones first."""

Json = dict[str, Any]


def _scaled(value: float | None) -> int | None:
    return None if value is None else round(value * SCALE)


def _post(post: StoredPost, copies: int = 1, authors: int = 0) -> Json:
    return {
        "text": None if post.text is None else clipped(visible(post.text), MAX_OPENED_TEXT),
        "toxicity": _scaled(post.toxicity),
        "source": visible(post.source),
        "lang": visible(post.lang or ""),
        "at": post.created_at // 1000,
        "copies": copies,
        "authors": authors,
        "link": link_of(post.post_id),
    }


def _shown(posts: Iterable[PostWorthReading]) -> list[Json]:
    return [_post(*shown) for shown in posts]


def _names(counts: Iterable[tuple[str, int]]) -> list[list[Any]]:
    return [[visible(name), count] for name, count in counts]


def evidence_json(found: Evidence) -> Json:
    return {
        "posts": found.posts,
        "scored": found.scored,
        "toxic": found.toxic,
        "mean_toxicity": _scaled(found.mean_toxicity),
        "distinct_texts": found.distinct_texts,
        "authors": {**found.authors._asdict(), "top_share": _scaled(found.authors.top_share),
                    "voices": found.authors.voices},
        "sources": _names(found.sources),
        "languages": _names(found.languages),
        "labels": {label: _scaled(mean) for label, mean in found.labels.items()},
        "terms": [[clipped(visible(t.text), 80), t.posts, t.authors] for t in found.terms],
        "compared_with": found.compared_with,
        "most_toxic": _shown(found.most_toxic),
        "most_repeated": _shown(found.most_repeated),
        "random": _shown(found.random),
    }  # fmt: skip


def opened_json(opened: Opened) -> Json:
    return {
        "topic": visible(opened.topic),
        "start": opened.start // 1000,
        "end": opened.end // 1000,
        "all_posts": opened.posts,
        "part": round(opened.part, 3),
        "before": opened.before,
        **evidence_json(opened.evidence),
    }


def found_json(found: FoundPosts) -> Json:
    return {"matches": found.matches, "posts": [_post(post) for post in found.posts]}


def telling_hours(hours: Sequence[Hour], found: Sequence[IncidentRun]) -> Iterator[Micros]:
    """Hours of incidents, the newest incident first; then the others, most posts first."""
    given: set[Micros] = set()
    for incident in reversed(found):
        for hour in dict.fromkeys(anomaly.hour for anomaly in incident.anomalies):
            given.add(hour)
            yield hour
    rest = sorted(hours, key=lambda hour: (-hour.posts, hour.hour))
    yield from (hour.hour for hour in rest if hour.hour not in given and hour.posts)
