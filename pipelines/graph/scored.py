"""Posts -> scored posts, each once, and the scores of their texts."""

from __future__ import annotations

from dataclasses import dataclass

import apache_beam as beam

from mltox.posts.records import DeadLetter, Post, TextScore
from pipelines.graph.modes.mode import Mode
from pipelines.graph.settings import Settings
from pipelines.transforms.deduplicate import Candidate
from pipelines.transforms.parse import DEAD
from pipelines.transforms.score import SCORED, TEXT_SCORES


@dataclass(frozen=True)
class Scored:
    """`candidates` may hold posts of before this run beside its own."""

    candidates: beam.PCollection[Candidate]
    text_scores: beam.PCollection[TextScore]
    failed: beam.PCollection[DeadLetter]


def scored_of(posts: beam.PCollection[Post], settings: Settings, mode: Mode) -> Scored:
    """Scores first, duplicates after: the scorer knows the texts it has seen, so a duplicate costs
    nothing, and the posts that the warehouse holds can join right before they are compared."""
    scored = posts | "Score" >> mode.score(settings)
    fresh = scored[SCORED] | "Fresh" >> beam.Map(Candidate, fresh=True)
    candidates = (fresh, *mode.stored()) | "Together" >> beam.Flatten()
    return Scored(
        candidates=candidates | "Deduplicate" >> mode.deduplicate,
        text_scores=scored[TEXT_SCORES],
        failed=scored[DEAD],
    )
