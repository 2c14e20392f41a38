"""The sources by name. A module is loaded only when its source is asked for."""

from __future__ import annotations

import argparse
import importlib
from typing import NamedTuple, Protocol

from ingest.sources.source import CurrentTopics, Source, SourceError


class Entry(NamedTuple):
    """`network` is what its posts have as `source`, None where they have several."""

    module: str
    help: str
    network: str | None = None
    needs_topics: bool = True


class SourceModule(Protocol):
    """What a module of a source has; perhaps `TOPICS` too, for a run without a topics file."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def open_source(self, options: argparse.Namespace, topics: CurrentTopics) -> Source:
        """Raises SourceError. `topics` are those that may come from this source; `options` has its
        own options and the common ones, `state` among them."""
        ...


EXTRA = "ingest"

SOURCES = {
    "x-stream": Entry("ingest.sources.x.stream", "X's filtered stream", "x"),
    "x-search": Entry("ingest.sources.x.search", "X's recent search", "x"),
    "bluesky": Entry(
        "ingest.sources.bluesky", "Bluesky's Jetstream, free and without a key", "bluesky"
    ),
    "mastodon": Entry(
        "ingest.sources.mastodon.source", "timelines of a Mastodon instance", "mastodon"
    ),
    "reddit": Entry(
        "ingest.sources.reddit.source", "submissions and comments of subreddits", "reddit"
    ),
    "file": Entry("ingest.sources.file", "files of posts", needs_topics=False),
    "sample": Entry("ingest.sources.sample.source", "the generated sample", needs_topics=False),
}


def source_module(name: str) -> SourceModule:
    """The module of a source; raises SourceError where a package that it needs is missing."""
    try:
        module: SourceModule = importlib.import_module(SOURCES[name].module)
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.partition(".")[0] == "ingest":
            raise
        raise SourceError(
            f"{name} needs {error.name}, which is not installed:"
            f" pip install --constraint constraints.txt '.[{EXTRA}]'"
        ) from error
    return module
