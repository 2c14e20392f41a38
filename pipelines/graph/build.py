"""Posts in, tables out: the table of contents."""

from __future__ import annotations

import apache_beam as beam

from mltox.posts.records import Message
from pipelines.graph.hours import hours_of
from pipelines.graph.modes.mode import Mode
from pipelines.graph.posts import posts_of
from pipelines.graph.rows import Tables, rows_of
from pipelines.graph.scored import scored_of
from pipelines.graph.settings import Settings
from pipelines.graph.verdicts import verdicts_of


def build(messages: beam.PCollection[Message], settings: Settings, mode: Mode) -> Tables:
    """The graph from messages to tables. `mode` holds the means that differ from run to run.

    These are functions and no composite transforms, for a composite would stand in the names of its
    steps, and a running Dataflow job finds its state by those.
    """
    posts = posts_of(messages, settings, mode)
    scored = scored_of(posts.posts, settings, mode)
    hours = hours_of(scored.candidates, settings, mode)
    verdicts = verdicts_of(hours, mode, settings.false_alarms_per_month)
    return rows_of(posts, scored, hours, verdicts, settings.store_text)
