"""Messages -> posts of the topics, each in its hour, and what was no usable post."""

from __future__ import annotations

from dataclasses import dataclass

import apache_beam as beam

from mltox.posts.records import DeadLetter, Message, Post
from pipelines.graph.modes.mode import Mode
from pipelines.graph.settings import Settings
from pipelines.transforms.parse import DEAD, POSTS_TAG, Parse


@dataclass(frozen=True)
class Posts:
    """`refused` are the posts that the mode does not admit, if it is one that refuses any."""

    posts: beam.PCollection[Post]
    unusable: beam.PCollection[DeadLetter]
    refused: tuple[beam.PCollection[DeadLetter], ...]


def posts_of(messages: beam.PCollection[Message], settings: Settings, mode: Mode) -> Posts:
    parsed = messages | "Parse" >> Parse(
        settings.matcher, settings.authors, settings.default_topic, mode.progress
    )
    admitted = mode.admit(parsed[POSTS_TAG])
    return Posts(
        posts=admitted.posts | "Window" >> mode.into_hours,
        unusable=parsed[DEAD],
        refused=admitted.refused,
    )
