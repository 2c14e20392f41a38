"""What a backfill would find, without writing anything: `mltox backfill --dry-run`."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from mltox.posts.envelope import Envelope
from mltox.scoring.trial import opened
from pipelines.graph import Settings
from pipelines.runs.backfill.intake import ReadAccount, ReadingOptions
from pipelines.runs.backfill.report import told_of
from pipelines.transforms.parse import topics_of_post

TRIAL_TEXTS = 256
POSTS_A_SECOND = 4_000
"""Of one core, for what the run does beside the model: reading, rolling up, writing."""


@dataclass(frozen=True)
class Survey:
    """`topics` counts posts by topic, `texts` the distinct texts of these, `seconds` is about what
    the run would take here."""

    intake: ReadAccount
    topics: Counter[str]
    no_topic: int
    texts: int
    seconds: float

    def text(self) -> str:
        dead = sum(remark.count for remark in self.intake.letters.found.values())
        lines = [
            ("rows read", self.intake.counts["rows"]),
            ("dead letters", dead),
            ("deletions", self.intake.counts["deletions"]),
            ("outside the time", self.intake.counts["outside"]),
            ("posts of no topic", self.no_topic),
            *((f"posts of {topic}", count) for topic, count in self.topics.most_common()),
            ("distinct texts", self.texts),
        ]
        width = max(18, *(len(said) for said, _ in lines))
        shown = [f"  {said:<{width}}{count:>12,}" for said, count in lines]
        told = told_of(self.intake.letters, self.intake.remarks.lines(), self.intake.left_out)
        about = f"about {_duration(self.seconds)} on this machine; nothing was written"
        return "\n".join([*shown, *told, about])


def survey(inputs: ReadingOptions, settings: Settings) -> Survey:
    """Reads everything, and scores a few texts for the time. Raises InputError, BundleError."""
    intake = ReadAccount()
    topics: Counter[str] = Counter()
    no_topic = 0
    texts: set[bytes] = set()
    trial: list[str] = []
    for item, _ in intake.posts(inputs, settings.authors):
        if not isinstance(item, Envelope):
            continue
        found = topics_of_post(item, settings.matcher, settings.default_topic)
        topics.update(found)
        if not found:
            no_topic += 1
            continue
        digest = hashlib.blake2b(item.text.encode(), digest_size=8).digest()
        if digest not in texts:
            texts.add(digest)
            if len(trial) < TRIAL_TEXTS:
                trial.append(item.text)
    seconds = len(texts) * _seconds_a_text(trial, settings) + topics.total() / POSTS_A_SECOND
    return Survey(intake, topics, no_topic, len(texts), seconds)


def _seconds_a_text(texts: Sequence[str], settings: Settings) -> float:
    if not texts:
        return 0.0
    scorer = opened(settings.bundle, threads=settings.model_threads)
    began = time.monotonic()
    scorer.score(texts)
    return (time.monotonic() - began) / len(texts)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} seconds"
    return f"{round(seconds / 60)} minutes" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
