"""`mltox ingest SOURCE`: posts of a network into Pub/Sub."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from ingest import health
from ingest.cursors.opening import open_store
from ingest.cursors.store import Keeper
from ingest.delivery import Delivery
from ingest.outbox import Outbox
from ingest.run import Ingest, Sorter
from ingest.sources.registry import SOURCES, Entry, SourceModule, source_module
from ingest.sources.source import CurrentTopics
from mltox.base.command_line import Parser
from mltox.base.counts import count_lines
from mltox.base.entry import EXIT_USAGE
from mltox.base.errors import UserError
from mltox.base.interrupts import stopping_on_signals
from mltox.base.logs import LogFormat, log_format_argument, say, set_up
from mltox.google.pubsub.publisher import Publisher, PublishError
from mltox.google.secrets import secret
from mltox.posts.authors import ENVIRONMENT_VARIABLE, AuthorKeys
from mltox.posts.topics import Topic
from mltox.posts.topics_file import TopicsFile

GIVE_UP_WITH_OUTBOX, GIVE_UP_WITHOUT = 30.0, 600.0
"""Seconds after which a message goes onto the disk, or ends the run."""

DESCRIPTION = """\
Publishes the posts of your topics as they come, until Ctrl-C or the end of the source.

reads   {help}
writes  a Pub/Sub topic (PUBSUB_EMULATOR_HOST: an emulator's); where to go on, in --state

A run that is killed or stopped goes on where the last confirmed post was.
"""

_NEEDED = {
    "file": "--input posts.jsonl ",
    "mastodon": "--instance mastodon.social ",
    "reddit": "--subreddits news ",
}
EXAMPLE = (
    "mltox ingest {name} {more}--output-topic projects/P/topics/posts --topics-file topics.yaml"
)


def main(argv: Sequence[str] | None = None) -> int:
    arguments = list(sys.argv[1:] if argv is None else argv)
    name: str = sources_parser().parse_args(arguments[:1]).source
    set_up(LogFormat.TEXT)
    try:
        module = source_module(name)
        options = parser(name, SOURCES[name], module).parse_args(arguments[1:])
        set_up(LogFormat(options.log_format))
        return run(name, module, options)
    except UserError as error:
        say(str(error))
        return EXIT_USAGE


def sources_parser() -> argparse.ArgumentParser:
    """The first word of the command line; the others are those of the source."""
    width = max(map(len, SOURCES))
    lines = "\n".join(f"  {name:<{width}}  {entry.help}" for name, entry in SOURCES.items())
    made = Parser(
        prog="mltox ingest",
        usage="mltox ingest SOURCE [options]",
        description="Publishes posts of your topics as they are written.\n\n"
        f"reads   one of these sources:\n{lines}\n"
        "writes  a Pub/Sub topic (PUBSUB_EMULATOR_HOST: an emulator's)\n\n"
        "mltox ingest SOURCE --help tells the options of each.",
        epilog=f"example:\n  {EXAMPLE.format(name='bluesky', more='')}",
    )
    made.add_argument("source", choices=SOURCES, metavar="SOURCE", help="a name of those above")
    return made


def parser(name: str, entry: Entry, module: SourceModule) -> argparse.ArgumentParser:
    more = _NEEDED.get(name, "")
    made = Parser(
        prog=f"mltox ingest {name}",
        description=DESCRIPTION.format(help=entry.help),
        epilog=f"example:\n  {EXAMPLE.format(name=name, more=more)}",
    )
    module.add_arguments(made)
    common = made.add_argument_group("common to all sources")
    common.add_argument(
        "--output-topic",
        required=True,
        metavar="projects/P/topics/T",
        help="Pub/Sub topic of the posts",
    )
    common.add_argument(
        "--deletions-topic",
        metavar="projects/P/topics/T",
        help="Pub/Sub topic of posts that are gone, for mltox forget (default: they are counted)",
    )
    common.add_argument(
        "--topics-file",
        type=Path,
        required=entry.needs_topics,
        metavar="FILE",
        help="YAML file of topics: name, keywords, phrases, hashtags, languages, sources. A change"
        " counts at once" + ("" if entry.needs_topics else " (default: every post)"),
    )
    common.add_argument(
        "--state",
        default="mltox-state",
        metavar="FOLDER|gs://…",
        help="where to go on, and the count of paid reads (default: %(default)s)",
    )
    common.add_argument(
        "--outbox",
        type=Path,
        metavar="FOLDER",
        help="where messages wait that Pub/Sub does not take (default: in a local --state; with"
        " gs://, a run ends after ten minutes of that)",
    )
    common.add_argument(
        "--health-port", type=int, metavar="N", help="answers 200 or 503, and counts as JSON"
    )
    log_format_argument(common)
    return made


def run(name: str, module: SourceModule, options: argparse.Namespace) -> int:
    """Everything that can be wrong is looked at before anything is read."""
    topics_file = TopicsFile(options.topics_file) if options.topics_file is not None else None
    everything = topics_file.current if topics_file else lambda: getattr(module, "TOPICS", ())
    authors = author_keys()
    source = module.open_source(options, of_network(everything, SOURCES[name].network))
    check_topics(options.output_topic, options.deletions_topic)
    sorter = Sorter(name, everything, authors, options.output_topic, options.deletions_topic)
    with ExitStack() as stack:
        outbox = None
        if (folder := outbox_folder(name, options)) is not None:
            outbox = stack.enter_context(contextlib.closing(Outbox(folder)))
        keeper = Keeper(open_store(options.state), name)
        give_up = GIVE_UP_WITHOUT if outbox is None else GIVE_UP_WITH_OUTBOX
        publisher = stack.enter_context(contextlib.closing(Publisher(give_up)))
        ingest = Ingest(source, sorter, Delivery(publisher.send, outbox), keeper)
        if options.health_port is not None:
            port = stack.enter_context(health.serving(lambda: ingest.status, options.health_port))
            say(f"health at http://localhost:{port}/")
        reload = topics_file.reload if topics_file else lambda: None
        stopping = stack.enter_context(stopping_on_signals(on_hangup=reload))
        stack.callback(lambda: print(ingest_balance(ingest.counts), flush=True))
        ingest.run(stopping)
    return 0


def author_keys() -> AuthorKeys:
    """This installation's; the secret may lie in Secret Manager like any other key."""
    if ENVIRONMENT_VARIABLE in os.environ or f"{ENVIRONMENT_VARIABLE}_SECRET" in os.environ:
        return AuthorKeys(secret(ENVIRONMENT_VARIABLE).encode("utf-8", "surrogateescape"))
    return AuthorKeys.from_environment()


def of_network(topics: CurrentTopics, network: str | None) -> CurrentTopics:
    """The topics that posts of a network may belong to: the others need not be asked for. The same
    object until they change."""
    last: tuple[Sequence[Topic], Sequence[Topic]] = (), ()

    def current() -> Sequence[Topic]:
        nonlocal last
        if (now := topics()) is not last[0]:
            last = now, tuple(topic for topic in now if topic.takes(network))
        return last[1]

    return current


def check_topics(*topics: str | None) -> None:
    """Raises PublishError for a Pub/Sub topic that is not there or may not be published to."""
    from mltox.google.pubsub.checks import topic_problems

    for problem in (each for topic in topics if topic for each in topic_problems(topic)):
        raise PublishError(problem)


def outbox_folder(name: str, options: argparse.Namespace) -> Path | None:
    if options.outbox is not None:
        return Path(options.outbox) / name
    if str(options.state).startswith("gs://"):
        return None  # a container's disk goes with it
    return Path(options.state) / "outbox" / name


def ingest_balance(counts: Mapping[str, int]) -> str:
    """What a run did, as a person reads it."""
    return count_lines(
        counts,
        {
            "read": "read",
            "no_topic": "of no topic",
            "rejected": "rejected",
            "deletions": "deletions",
            "published": "published",
            "spooled": "waited on disk",
            "refused": "refused for good",
        },
    )


if __name__ == "__main__":
    sys.exit(main())
