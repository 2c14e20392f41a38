"""All that flows through the pipelines, as NamedTuples (Beam gives these a stable row schema).

Imports no Beam, so that `ingest`, `toxicity`, `timeseries` and the tests can use it alone.
Times are integer microseconds since 1970-01-01 UTC (`Micros`): exact, ordered, cheap to encode.
"""

from __future__ import annotations

from typing import NamedTuple

Micros = int

SECOND: Micros = 1_000_000
HOUR: Micros = 3600 * SECOND
DAY: Micros = 24 * HOUR
WEEK: Micros = 7 * DAY

LABELS = (
    "toxicity",
    "severe_toxicity",
    "obscene",
    "threat",
    "insult",
    "identity_attack",
    "sexual_explicit",
)
"""The seven scores, in the order of the columns. Names are Detoxify's and Perspective's."""


class Scores(NamedTuple):
    """Probabilities in [0, 1], rounded to 1e-6; None where the model has no such label.

    All seven are None for a post in a language that the model does not know.
    """

    toxicity: float | None = None
    severe_toxicity: float | None = None
    obscene: float | None = None
    threat: float | None = None
    insult: float | None = None
    identity_attack: float | None = None
    sexual_explicit: float | None = None


UNSCORED = Scores()


class Post(NamedTuple):
    """One post under one topic: a post that matches two topics is two of these."""

    topic: str
    post_id: str
    source: str
    author_key: str | None
    text: str
    lang: str | None
    created_at: Micros
    ingested_at: Micros


class ScoredPost(NamedTuple):
    """A row of `scored_posts`. `text` is None where the run does not store texts."""

    topic: str
    post_id: str
    source: str
    author_key: str | None
    text: str | None
    text_sha256: str
    lang: str | None
    created_at: Micros
    ingested_at: Micros
    scored_at: Micros
    model: str
    model_sha256: str
    toxicity: float | None
    severe_toxicity: float | None
    obscene: float | None
    threat: float | None
    insult: float | None
    identity_attack: float | None
    sexual_explicit: float | None

    @property
    def scores(self) -> Scores:
        return Scores(
            self.toxicity,
            self.severe_toxicity,
            self.obscene,
            self.threat,
            self.insult,
            self.identity_attack,
            self.sexual_explicit,
        )


class TextScore(NamedTuple):
    """A row of `text_scores`: what a model says of a text, stored once."""

    text_sha256: str
    model_sha256: str
    toxicity: float | None
    severe_toxicity: float | None
    obscene: float | None
    threat: float | None
    insult: float | None
    identity_attack: float | None
    sexual_explicit: float | None


class HourlyToxicity(NamedTuple):
    """A row of `hourly_toxicity`: one topic, one hour, one model.

    `posts` counts all posts, `posts_unscored` those among them in other languages; means and shares
    are over the scored ones and None where there are none.
    """

    topic: str
    hour: Micros
    model: str
    posts: int
    posts_unscored: int
    authors: int
    mean_toxicity: float | None
    toxic_share: float | None
    p90_toxicity: float | None
    mean_severe_toxicity: float | None
    mean_obscene: float | None
    mean_threat: float | None
    mean_insult: float | None
    mean_identity_attack: float | None
    mean_sexual_explicit: float | None
    revision: int
    is_final: bool
    updated_at: Micros


class EvidencePost(NamedTuple):
    """What an explanation needs of a post."""

    post_id: str
    text: str
    toxicity: float | None


class HourSummary(NamedTuple):
    """An hour as the detector sees it: the row, and a bounded sample of its posts.

    `sample` is uniform over the hour's posts, `toxic_sample` over its toxic ones (both by smallest
    hash of the post id, so that they depend on neither order nor bundles); `examples` are the most
    toxic posts, most toxic first.
    """

    row: HourlyToxicity
    sample: tuple[EvidencePost, ...]
    toxic_sample: tuple[EvidencePost, ...]
    examples: tuple[EvidencePost, ...]


class Anomaly(NamedTuple):
    """A row of `anomalies`: an hour in which a metric left the range expected of it."""

    topic: str
    hour: Micros
    metric: str
    observed: float
    expected: float
    lower: float
    upper: float
    score: float
    severity: str
    direction: str
    detector: str
    status: str
    terms: tuple[str, ...]
    example_post_ids: tuple[str, ...]
    explained_share: float | None
    updated_at: Micros


class JudgedSpan(NamedTuple):
    """A row of `judged_spans`: [start_at, end_at) of a topic was judged in retrospect.

    All its hours were known when each was judged. Without it nobody could tell hours that nothing
    was found in from hours that nobody looked at.
    """

    topic: str
    detector: str
    start_at: Micros
    end_at: Micros
    hours_judged: int
    updated_at: Micros


class Forecast(NamedTuple):
    """A row of `forecasts`. `run_at` is the origin: the hour after the last one observed."""

    topic: str
    metric: str
    run_at: Micros
    hour: Micros
    expected: float
    lower_80: float
    upper_80: float
    lower_95: float
    upper_95: float
    method: str
    p_anomaly: float | None


class ForecastAccuracy(NamedTuple):
    """A row of `forecast_accuracy`: how a method did in the backtest."""

    topic: str
    metric: str
    run_at: Micros
    method: str
    horizon_hours: int
    mase: float | None
    smape: float | None
    pinball: float | None
    coverage_80: float | None
    coverage_95: float | None
    chosen: bool


class DeadLetter(NamedTuple):
    """A row of `dead_letters`: what could not be used, and why.

    `letter_id` is a hash of where the message came from and of its stage, so that a second run
    over the same input writes the same letter and not another one.
    """

    letter_id: str
    stage: str
    error_type: str
    message: str
    payload: str
    post_id: str | None
    seen_at: Micros


class ForgottenPost(NamedTuple):
    """A row of `forgotten_posts`: a post that is gone at its source.

    A row whose post never came goes after some days; `held` says that the post is in
    `scored_posts`, and the row stays.
    """

    post_id: str
    held: bool
    forgotten_at: Micros


class Message(NamedTuple):
    """What enters a pipeline: a payload, and where it came from (`file:line`, a message id)."""

    payload: bytes
    origin: str
