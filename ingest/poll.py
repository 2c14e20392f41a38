"""One poll of the sources that are asked and then let go: what a scheduled function does.

All comes from the environment, so that one image serves every project:

    MLTOX_SOURCES           names with spaces between them, such as `x-search reddit`
    MLTOX_TOPIC             Pub/Sub topic of the posts: projects/P/topics/T
    MLTOX_DELETIONS_TOPIC   that of posts that are gone; without it they are counted
    MLTOX_TOPICS            YAML file of topics
    MLTOX_STATE             gs://BUCKET/PREFIX, or a folder that stays
    MLTOX_POLL_SECONDS      how long to read (default 120); what is on its way may take 30 more
    MLTOX_OPTIONS_X_SEARCH  further options of `mltox ingest x-search`; so for every source
    MLTOX_AUTHOR_KEY        and the sources' own keys: see `mltox.google.secrets`

A poll that is cut off, or done twice, loses nothing: a cursor moves when Pub/Sub has confirmed what
lies before it, and a post that is read again has the same id.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import shlex
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ingest.cli import check_topics, of_network, parser
from ingest.cursors.opening import open_store
from ingest.cursors.store import Conflict, Keeper
from ingest.delivery import Delivery
from ingest.run import Ingest, Sorter
from ingest.sources.registry import SOURCES, source_module
from mltox.base.errors import UserError
from mltox.base.own_secrets import without_secrets
from mltox.google.pubsub.publisher import Publisher
from mltox.google.secrets import secret
from mltox.posts.authors import ENVIRONMENT_VARIABLE, AuthorKeys
from mltox.posts.topics_file import TopicsFile

log = logging.getLogger(__name__)

POLLED: Mapping[str, Sequence[str]] = {"x-search": (), "reddit": ("--once",), "file": ()}
"""Sources that can end when they have read what is there, and what tells them to."""
LONGEST_POLL_SECONDS = 120.0
PUBLISH_SECONDS = 30.0
"""For one request to Pub/Sub. There is no outbox: a function's disk goes with it."""


class PollError(UserError):
    """The environment lacks something, or a poll failed; one line for a person."""


class Busy(PollError):
    """Another poll goes on from the same cursors."""


@dataclass(frozen=True)
class PollSettings:
    """What to poll; `arguments` of a source are those of its command line."""

    arguments: Mapping[str, Sequence[str]]
    seconds: float

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> PollSettings:
        """Raises PollError, naming the variable."""
        common = ["--output-topic", needed(environment, "MLTOX_TOPIC")]
        common += ["--topics-file", needed(environment, "MLTOX_TOPICS")]
        common += ["--state", needed(environment, "MLTOX_STATE")]
        if deletions := environment.get("MLTOX_DELETIONS_TOPIC", "").strip():
            common += ["--deletions-topic", deletions]
        arguments = {}
        for name in needed(environment, "MLTOX_SOURCES").split():
            if name not in POLLED:
                raise PollError(f"MLTOX_SOURCES: {name!r} is none of {', '.join(POLLED)}")
            own = f"MLTOX_OPTIONS_{name.upper().replace('-', '_')}"
            try:
                given = shlex.split(environment.get(own, ""))
            except ValueError as error:
                raise PollError(f"{own}: {error}") from None
            arguments[name] = [*given, *POLLED[name], *common]
        return cls(arguments, seconds_of(environment.get("MLTOX_POLL_SECONDS", "")))


def needed(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "").strip()
    if not value:
        raise PollError(f"{name} is not set")
    return value


def seconds_of(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 < (seconds := float(text or LONGEST_POLL_SECONDS)) < 86_400:
            return seconds
    raise PollError("MLTOX_POLL_SECONDS is no number of seconds")


_polling = threading.Lock()


def poll_all(environment: Mapping[str, str] = os.environ) -> dict[str, dict[str, int]]:
    """Counts by source. One that fails does not keep the others from being polled.

    Raises PollError with a line for each source that failed, and Busy where a poll is under way.
    """
    settings = PollSettings.of(environment)
    if not _polling.acquire(blocking=False):
        raise Busy("a poll is under way")
    try:
        return _poll_all(settings)
    finally:
        _polling.release()


def _poll_all(settings: PollSettings) -> dict[str, dict[str, int]]:
    authors = AuthorKeys(_author_key())
    deadline = time.monotonic() + settings.seconds
    counts: dict[str, dict[str, int]] = {}
    problems: dict[str, str] = {}
    busy = False
    for index, (name, arguments) in enumerate(settings.arguments.items()):
        # What a quiet source leaves of its share, those after it have.
        share = (deadline - time.monotonic()) / (len(settings.arguments) - index)
        try:
            counts[name] = poll_source(name, arguments, authors, max(1.0, share))
        except UserError as error:
            busy = busy or isinstance(error, Conflict)
            problems[name] = str(error)
        except Exception as error:
            # Its text may quote a request with a key in it.
            problems[name] = f"a defect: {type(error).__name__}"
            log.exception("%s: %s", name, type(error).__name__)
        log.info("%s: %s", name, problems.get(name) or counts[name])
    if problems:
        text = "; ".join(f"{name}: {problem}" for name, problem in problems.items())
        text = without_secrets(text)
        raise Busy(text) if busy else PollError(text)
    return counts


def poll_source(
    name: str, arguments: Sequence[str], authors: AuthorKeys, seconds: float
) -> dict[str, int]:
    """Reads what there is, for `seconds` at most, and publishes it.

    Raises PollError, after what came is published, where the network did not answer at the end.
    """
    module = source_module(name)
    options = parsed_arguments(parser(name, SOURCES[name], module), name, arguments)
    topics = TopicsFile(options.topics_file).current
    source = module.open_source(options, of_network(topics, SOURCES[name].network))
    check_topics(options.output_topic, options.deletions_topic)
    sorter = Sorter(name, topics, authors, options.output_topic, options.deletions_topic)
    keeper = Keeper(open_store(options.state), name)
    with contextlib.closing(Publisher(PUBLISH_SECONDS)) as publisher, set_after(seconds) as stop:
        ingest = Ingest(source, sorter, Delivery(publisher.send, None), keeper)
        counts = dict(ingest.run(stop))
    if ingest.trouble is not None:
        raise PollError(ingest.trouble)
    return counts


def parsed_arguments(
    made: argparse.ArgumentParser, name: str, arguments: Sequence[str]
) -> argparse.Namespace:
    """argparse writes what is wrong to standard error and ends the process, which others need."""
    try:
        return made.parse_args(list(arguments))
    except SystemExit:
        raise PollError(f"its options are not understood; see mltox ingest {name} --help") from None


@contextlib.contextmanager
def set_after(seconds: float) -> Iterator[threading.Event]:
    stop = threading.Event()
    timer = threading.Timer(seconds, stop.set)
    timer.daemon = True
    timer.start()
    try:
        yield stop
    finally:
        timer.cancel()


def _author_key() -> bytes:
    """Each instance would make a key of its own, and no author would be the same twice."""
    try:
        return secret(ENVIRONMENT_VARIABLE).encode()
    except UserError as error:
        raise PollError(str(error)) from None
