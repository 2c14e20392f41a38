"""Posts in, tables out: the stages from a message to the rows of the warehouse.

`build` makes the graph. The same one serves messages from a file and from Pub/Sub.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindows

from mltox.detection.monitor import TopicMonitor
from mltox.posts.authors import AuthorKeys
from mltox.posts.records import Anomaly, DeadLetter, HourlyToxicity, Message, ScoredPost, TextScore
from mltox.posts.topics import TopicMatcher
from pipelines.options import StoreText
from pipelines.transforms.aggregate import AggregateHours
from pipelines.transforms.deduplicate import Candidate, Deduplicate
from pipelines.transforms.detect import ANOMALIES, MONITORS, DetectAnomalies, is_due
from pipelines.transforms.drop_known import DropKnown
from pipelines.transforms.ledger import HourKey, Ledger
from pipelines.transforms.parse import DEAD, POSTS, Parse
from pipelines.transforms.score import SCORED, TEXT_SCORES, Score
from pipelines.transforms.store_text import letter_to_store, post_to_store
from pipelines.transforms.too_late import LetGoTooLate
from pipelines.transforms.window import IntoHours, Panes


@dataclass(frozen=True)
class Settings:
    """What the graph needs to know. Everything in it can be pickled.

    `default_topic` takes the posts that no topic matches; None leaves them out. `threshold` is the
    toxicity from which a post counts as toxic. To a live stream alone matter `panes`,
    `watch_bundle`: how often it looks for a new bundle (0: never), and `batch_wait`: for how long a
    post may wait for others to be scored with; both in seconds.
    """

    matcher: TopicMatcher
    authors: AuthorKeys
    bundle: str
    threshold: float
    default_topic: str | None = None
    model_threads: int = 0
    watch_bundle: float = 0
    batch_wait: float = 0
    store_text: StoreText = StoreText.FULL
    panes: Panes = Panes()  # noqa: RUF009 - frozen


@dataclass(frozen=True)
class Tables:
    """What `build` returns: a PCollection for each table, and the monitors' last states."""

    scored_posts: beam.PCollection[ScoredPost]
    text_scores: beam.PCollection[TextScore]
    hourly_toxicity: beam.PCollection[HourlyToxicity]
    anomalies: beam.PCollection[Anomaly]
    dead_letters: beam.PCollection[DeadLetter]
    monitors: beam.PCollection[tuple[str, TopicMonitor]]


def together(label: str, *letters: beam.PCollection[DeadLetter]) -> beam.PCollection[DeadLetter]:
    """Dead letters of several stages in one PCollection; they have no hour."""
    unwindowed = tuple(
        part | f"{label}_{number}" >> beam.WindowInto(GlobalWindows())
        for number, part in enumerate(letters)
    )
    return unwindowed | label >> beam.Flatten()


def build(
    messages: beam.PCollection[Message],
    settings: Settings,
    *,
    stored: beam.PCollection[ScoredPost] | None = None,
    monitors: Mapping[str, TopicMonitor] | None = None,
    ledger: Ledger | None = None,
    due: beam.PCollection[HourKey] | None = None,
) -> Tables:
    """The graph from messages to tables.

    `stored` are posts that the warehouse already holds of the same hours: they count in their hour
    again, so that an hour that arrives in two files ends as if it had come in one. `monitors` are
    the detectors' states at the start.

    A `ledger` makes a bounded run one of many that together are a live one: posts that it knows are
    duplicates, hours are added to what they were before, and are judged when they are `due`.
    """
    parsed = messages | "Parse" >> Parse(settings.matcher, settings.authors, settings.default_topic)
    fresh_posts = parsed[POSTS]
    if ledger is not None:
        fresh_posts = fresh_posts | "DropKnown" >> DropKnown(ledger)
    too_late: tuple[beam.PCollection[DeadLetter], ...] = ()
    if not messages.is_bounded:
        in_time = fresh_posts | "LetGoTooLate" >> LetGoTooLate(settings.panes.lateness)
        fresh_posts, too_late = in_time[POSTS], (in_time[DEAD],)
    scored = (
        fresh_posts
        | "Window" >> IntoHours(settings.panes)
        | "Score"
        >> Score(
            settings.bundle, settings.model_threads, settings.watch_bundle, settings.batch_wait
        )
    )
    fresh = scored[SCORED] | "Fresh" >> beam.Map(Candidate, fresh=True)
    candidates: tuple[beam.PCollection[Candidate], ...] = (fresh,)
    if stored is not None:
        candidates += (
            stored | "WindowStored" >> IntoHours() | "Stored" >> beam.Map(Candidate, fresh=False),
        )
    posts = candidates | "Together" >> beam.Flatten() | "Deduplicate" >> Deduplicate()
    hours = posts | "Aggregate" >> AggregateHours(settings.threshold, ledger, due)
    judged = hours
    if ledger is not None:
        judged = hours | "DueHours" >> beam.Filter(is_due, ledger)
    before = (monitors or {}).get if ledger is None else ledger.monitor
    detected = judged | "Detect" >> DetectAnomalies(before)
    letters = together("DeadLetters", parsed[DEAD], scored[DEAD], *too_late)
    store = settings.store_text
    return Tables(
        scored_posts=posts
        | "FreshPosts" >> beam.Filter(lambda post: post.fresh and not post.superseded)
        | "StorePosts" >> beam.Map(lambda post: post_to_store(post.post, store)),
        text_scores=scored[TEXT_SCORES]
        | "StoreTextScores" >> beam.Filter(lambda _: store != StoreText.NONE),
        hourly_toxicity=hours
        | "FreshHours" >> beam.Filter(lambda hour: hour.fresh)
        | "HourRows" >> beam.Map(lambda hour: hour.summary.row),
        anomalies=detected[ANOMALIES],
        dead_letters=letters | "StoreLetters" >> beam.Map(letter_to_store, store=store),
        monitors=detected[MONITORS],
    )
