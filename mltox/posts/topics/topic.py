"""A topic: what it is called, and what tells that a post belongs to it."""

from __future__ import annotations

from typing import NamedTuple

from mltox.base.errors import UserError


class TopicError(UserError, ValueError):
    """A topic, or a topics file, that cannot be used."""


class Topic(NamedTuple):
    """A topic.

    `languages`, if any, limits it to posts of these languages or of an unknown one; `sources`, if
    any, to posts of these networks, as a post names its own: `x`, `bluesky`, ….
    """

    name: str
    keywords: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    hashtags: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    def takes(self, source: str | None) -> bool:
        """Whether posts of a source may belong to it; None where that is not known."""
        return source is None or not self.sources or source in self.sources
