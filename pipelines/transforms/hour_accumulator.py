"""What is remembered of an hour's posts while they are added up. Imports no Beam.

Everything here is a sum of integers, a maximum, or a choice by a hash of the post's id, so that the
result depends on neither the order of the posts nor how they were split among bundles.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field

from mltox.posts.records import (
    LABELS,
    EvidencePost,
    HourlyToxicity,
    HourSummary,
    Micros,
    ScoredPost,
)

SAMPLE_POSTS = 40
EXAMPLE_POSTS = 5
EVIDENCE_CHARS = 300
SCORE_UNITS = 1_000_000
"""Scores have six decimals: in units of 1e-6 their sums are exact."""
P90_STEP = SCORE_UNITS // 1000
"""p90 is read off a histogram with steps of 0.001, which stays small in the busiest hour."""

Ranked = tuple[int, EvidencePost]


def rank_of(post_id: str) -> int:
    """A fixed pseudo-random order of posts. The k smallest are a uniform sample that can be merged
    (bottom-k sampling; Cohen and Kaplan 2007)."""
    return int.from_bytes(hashlib.blake2b(post_id.encode(), digest_size=8).digest(), "big")


def author_fingerprint(author_key: str) -> int:
    return int.from_bytes(hashlib.blake2b(author_key.encode(), digest_size=8).digest(), "big")


def keep_smallest(ranked: list[Ranked], size: int) -> list[Ranked]:
    return sorted(ranked, key=lambda item: (item[0], item[1].post_id))[:size]


@dataclass(slots=True)
class HourAccumulator:
    """Sums of one topic, hour and model. `threshold` is the toxicity from which a post is toxic.

    Size: 8 bytes an author as state and some 60 to 140 in memory, as full as the set is; at most
    1,000 histogram steps and 85 short texts.
    """

    threshold: float
    revision: int = 0
    """How many times the hour was written before."""
    latest: Micros = 0
    """The newest post's created_at."""
    closed: bool = False
    """Written as final."""
    posts: int = 0
    fresh: int = 0
    unscored: int = 0
    toxic: int = 0
    label_sums: list[int] = field(default_factory=lambda: [0] * len(LABELS))
    label_counts: list[int] = field(default_factory=lambda: [0] * len(LABELS))
    histogram: dict[int, int] = field(default_factory=dict)
    authors: set[int] = field(default_factory=set)
    sample: list[Ranked] = field(default_factory=list)
    toxic_sample: list[Ranked] = field(default_factory=list)
    examples: list[Ranked] = field(default_factory=list)

    def touch(self) -> None:
        """Notes a change by a post that no longer counts here."""
        self.fresh += 1

    def add(self, post: ScoredPost, *, fresh: bool = True) -> None:
        self.posts += 1
        self.fresh += fresh
        self.latest = max(self.latest, post.created_at)
        if post.author_key is not None:
            self.authors.add(author_fingerprint(post.author_key))
        toxicity = post.toxicity
        toxic = toxicity is not None and toxicity >= self.threshold
        if toxicity is None:
            self.unscored += 1
        else:
            self.toxic += toxic
            step = round(toxicity * SCORE_UNITS) // P90_STEP
            self.histogram[step] = self.histogram.get(step, 0) + 1
            for index, score in enumerate(post.scores):
                if score is not None:
                    self.label_sums[index] += round(score * SCORE_UNITS)
                    self.label_counts[index] += 1
        if post.text is not None:
            self._add_evidence(post, post.text, toxic)

    def _add_evidence(self, post: ScoredPost, text: str, toxic: bool) -> None:
        evidence = EvidencePost(post.post_id, text[:EVIDENCE_CHARS], post.toxicity)
        rank = rank_of(post.post_id)
        self.sample.append((rank, evidence))
        if toxic:
            self.toxic_sample.append((rank, evidence))
        if post.toxicity is not None:
            self.examples.append((-round(post.toxicity * SCORE_UNITS), evidence))
        if len(self.sample) > 2 * SAMPLE_POSTS:
            self._trim()

    def _trim(self) -> None:
        self.sample = keep_smallest(self.sample, SAMPLE_POSTS)
        self.toxic_sample = keep_smallest(self.toxic_sample, SAMPLE_POSTS)
        self.examples = keep_smallest(self.examples, EXAMPLE_POSTS)

    def merge(self, other: HourAccumulator) -> None:
        self.revision = max(self.revision, other.revision)
        self.latest = max(self.latest, other.latest)
        self.posts += other.posts
        self.fresh += other.fresh
        self.unscored += other.unscored
        self.toxic += other.toxic
        self.label_sums = [a + b for a, b in zip(self.label_sums, other.label_sums, strict=True)]
        self.label_counts = [
            a + b for a, b in zip(self.label_counts, other.label_counts, strict=True)
        ]
        for step, count in other.histogram.items():
            self.histogram[step] = self.histogram.get(step, 0) + count
        self.authors |= other.authors
        self.sample += other.sample
        self.toxic_sample += other.toxic_sample
        self.examples += other.examples
        self._trim()

    def means(self) -> list[float | None]:
        return [
            total / count / SCORE_UNITS if count else None
            for total, count in zip(self.label_sums, self.label_counts, strict=True)
        ]

    def p90(self) -> float | None:
        """The lower end of the histogram step that holds the nearest-rank 90th percentile."""
        scored = self.posts - self.unscored
        if not scored:
            return None
        wanted = math.ceil(0.9 * scored)
        seen = 0
        for step in sorted(self.histogram):
            seen += self.histogram[step]
            if seen >= wanted:
                return step * P90_STEP / SCORE_UNITS
        raise AssertionError("the histogram holds every scored post")

    def summary(
        self,
        topic: str,
        hour: Micros,
        model: str,
        *,
        revision: int,
        is_final: bool,
        updated_at: Micros,
    ) -> HourSummary:
        self._trim()
        scored = self.posts - self.unscored
        toxicity, severe, obscene, threat, insult, identity, sexual = self.means()
        row = HourlyToxicity(
            topic=topic,
            hour=hour,
            model=model,
            posts=self.posts,
            posts_unscored=self.unscored,
            authors=len(self.authors),
            mean_toxicity=toxicity,
            toxic_share=self.toxic / scored if scored else None,
            p90_toxicity=self.p90(),
            mean_severe_toxicity=severe,
            mean_obscene=obscene,
            mean_threat=threat,
            mean_insult=insult,
            mean_identity_attack=identity,
            mean_sexual_explicit=sexual,
            revision=revision,
            is_final=is_final,
            updated_at=updated_at,
        )
        return HourSummary(
            row,
            tuple(evidence for _, evidence in self.sample),
            tuple(evidence for _, evidence in self.toxic_sample),
            tuple(evidence for _, evidence in self.examples),
        )
