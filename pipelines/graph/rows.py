"""All that was found -> the rows of the tables, with no more text than is to be stored."""

from __future__ import annotations

from dataclasses import dataclass

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindows

from mltox.detection.monitor import TopicMonitor
from mltox.posts.records import Anomaly, DeadLetter, HourlyToxicity, ScoredPost, TextScore
from pipelines.graph.posts import Posts
from pipelines.graph.scored import Scored
from pipelines.graph.verdicts import Verdicts
from pipelines.options import StoreText
from pipelines.transforms.aggregate import RolledUp
from pipelines.transforms.deduplicate import Candidate
from pipelines.transforms.store_text import letter_to_store, post_to_store


@dataclass(frozen=True)
class Tables:
    """What `build` returns: a PCollection for each table, and the monitors' last states."""

    scored_posts: beam.PCollection[ScoredPost]
    text_scores: beam.PCollection[TextScore]
    hourly_toxicity: beam.PCollection[HourlyToxicity]
    anomalies: beam.PCollection[Anomaly]
    dead_letters: beam.PCollection[DeadLetter]
    monitors: beam.PCollection[tuple[str, TopicMonitor]]


# Functions with a name: Beam pickles these by it, and a lambda with the path of this file.
def is_written(candidate: Candidate) -> bool:
    return candidate.fresh and not candidate.superseded


def row_to_store(candidate: Candidate, store: StoreText) -> ScoredPost:
    return post_to_store(candidate.post, store)


def is_kept(_: TextScore, store: StoreText) -> bool:
    return store != StoreText.NONE


def is_fresh(hour: RolledUp) -> bool:
    return hour.fresh


def row_of(hour: RolledUp) -> HourlyToxicity:
    return hour.summary.row


def together(label: str, *letters: beam.PCollection[DeadLetter]) -> beam.PCollection[DeadLetter]:
    """Dead letters of several stages in one PCollection; they have no hour."""
    unwindowed = tuple(
        part | f"{label}_{number}" >> beam.WindowInto(GlobalWindows())
        for number, part in enumerate(letters)
    )
    return unwindowed | label >> beam.Flatten()


def rows_of(
    posts: Posts,
    scored: Scored,
    hours: beam.PCollection[RolledUp],
    verdicts: Verdicts,
    store: StoreText,
) -> Tables:
    letters = together("DeadLetters", posts.unusable, scored.failed, *posts.refused)
    return Tables(
        scored_posts=scored.candidates
        | "FreshPosts" >> beam.Filter(is_written)
        | "StorePosts" >> beam.Map(row_to_store, store=store),
        text_scores=scored.text_scores | "StoreTextScores" >> beam.Filter(is_kept, store=store),
        hourly_toxicity=hours
        | "FreshHours" >> beam.Filter(is_fresh)
        | "HourRows" >> beam.Map(row_of),
        anomalies=verdicts.anomalies,
        dead_letters=letters | "StoreLetters" >> beam.Map(letter_to_store, store=store),
        monitors=verdicts.monitors,
    )
