"""Posts that are gone at their source leave the warehouse: `mltox forget`.

What goes and what stays is told in `mltox.warehouse.forgetting`. Doing it twice changes
nothing.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from mltox.base.command_line import Parser
from mltox.base.counts import count_lines
from mltox.base.entry import reporting_errors
from mltox.base.errors import UsageError
from mltox.base.interrupts import stopping_on_signals
from mltox.base.logs import LogFormat, log_format_argument, set_up
from mltox.google.pubsub.subscription import Subscription
from mltox.posts.reading.errors import InputError
from mltox.warehouse import Warehouse, open_warehouse
from mltox.warehouse.forgetting import TOMBSTONES
from mltox.warehouse.location import BigQueryDataset, parse_uri
from pipelines.preflight import Needs, check
from pipelines.runs.local_stream.deletions import DELETIONS_AT_ONCE, Deletions

log = logging.getLogger(__name__)

GATHER_SECONDS, GATHER_SECONDS_BIGQUERY = 1.0, 60.0
"""BigQuery reads the ids of all posts for a statement, be it about one post or thousands."""
EXIT_WAITING = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0; 1 where posts wait in BigQuery's streaming buffer; 2 with one line on what is
    wrong."""
    options = parser().parse_args(argv)
    set_up(LogFormat(options.log_format))
    return reporting_errors(lambda: run(options))


def parser() -> argparse.ArgumentParser:
    made = Parser(
        prog="mltox forget",
        description="Forgets posts that are gone at their source: text, author key and the text's\n"
        "hash, the payloads of their dead letters, and their place among examples. Their scores\n"
        "and what was counted stay.\n\n"
        "reads   post ids, from options, a file, or a Pub/Sub subscription of deletions\n"
        "writes  scored_posts, dead_letters, anomalies and forgotten_posts of a warehouse\n\n"
        "A post that comes within a week after its deletion is forgotten as well. A row that was\n"
        "streamed into BigQuery can be changed after 90 minutes: its message stays, and without a\n"
        "subscription the exit code is 1 and the next run of any kind does it.",
        epilog="example:\n  mltox forget --warehouse bq://p.mltox"
        " --subscription projects/p/subscriptions/posts-deletions --once",
    )
    made.add_argument(
        "--warehouse",
        default="mltox.duckdb",
        metavar="URI",
        help="DuckDB file, or bq://project.dataset. Default: %(default)s",
    )
    made.add_argument(
        "--post-id",
        action="append",
        default=[],
        metavar="ID",
        help="A post to forget, as source:id. May be given several times.",
    )
    made.add_argument("--file", metavar="PATH", help="Text file of post ids, one a line.")
    made.add_argument(
        "--subscription",
        metavar="PATH",
        help="Deletions as they come, until Ctrl-C: projects/PROJECT/subscriptions/NAME.",
    )
    made.add_argument(
        "--once", action="store_true", help="With --subscription: what is there now, then end."
    )
    log_format_argument(made)
    return made


def run(options: argparse.Namespace) -> int:
    named = bool(options.post_id or options.file)
    if named == bool(options.subscription):
        raise UsageError("give post ids (--post-id, --file) or a --subscription")
    if options.once and not options.subscription:
        raise UsageError("--once goes with --subscription")
    location = parse_uri(options.warehouse)
    dataset = location if isinstance(location, BigQueryDataset) else None
    tables = ("scored_posts", "dead_letters", "anomalies", TOMBSTONES)
    check(
        Needs(
            subscription=options.subscription,
            dataset=dataset,
            reads=tables,
            writes=tables,
            queries=True,
        )
    )
    with open_warehouse(options.warehouse) as warehouse:
        if named:
            totals = forget_named(warehouse, post_ids(options.post_id, options.file))
        else:
            gather = GATHER_SECONDS if dataset is None else GATHER_SECONDS_BIGQUERY
            totals = forget_coming(warehouse, options.subscription, gather, once=options.once)
    print(report(totals))
    return EXIT_WAITING if named and totals["waiting"] else 0


def post_ids(given: Sequence[str], file: str | None) -> Iterator[str]:
    """Raises InputError for a file that can't be read, UsageError for what is no post id."""
    yield from map(checked_post_id, given)
    if file is None:
        return
    try:
        with Path(file).open(encoding="utf-8") as lines:
            yield from (checked_post_id(line.strip()) for line in lines if line.strip())
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{file} is not in UTF-8") from error


def checked_post_id(post_id: str) -> str:
    """A native id without its source would be found nowhere, and nobody would notice."""
    source, colon, native = post_id.partition(":")
    if not (source and colon and native):
        raise UsageError(f"{post_id[:100]!r} is no post id: they are written source:id")
    return post_id


def forget_named(warehouse: Warehouse, ids: Iterator[str]) -> Counter[str]:
    totals: Counter[str] = Counter()
    while batch := set(islice(ids, DELETIONS_AT_ONCE)):
        forgotten = warehouse.forget(batch)
        waiting = len(forgotten.waiting & batch)
        totals.update(
            deletions=len(batch) - waiting,
            waiting=waiting,
            posts=forgotten.posts,
            letters=forgotten.letters,
            anomalies=forgotten.anomalies,
        )
    return totals


def forget_coming(
    warehouse: Warehouse, subscription: str, gather: float, *, once: bool
) -> Counter[str]:
    """Until SIGINT or SIGTERM, or once."""
    with stopping_on_signals() as stopping:
        source = Subscription(subscription, stopping)
        deletions = Deletions(source, warehouse, stopping)
        try:
            while not stopping.is_set():
                count = deletions.turn(gather, until_empty=once)
                if count:
                    log.info("%d deletions; until now: %s", count, dict(deletions.totals))
                elif once:
                    break
        finally:
            source.close()
    return deletions.totals


def report(totals: Counter[str]) -> str:
    """What was forgotten, as a person reads it."""
    return count_lines(
        totals,
        {
            "deletions": "deletions",
            "posts": "rows of posts emptied",
            "letters": "dead letters emptied",
            "anomalies": "anomalies with an example less",
            "waiting": "wait in the streaming buffer",
            "unreadable": "messages that are no deletion",
        },
    )


if __name__ == "__main__":
    sys.exit(main())
