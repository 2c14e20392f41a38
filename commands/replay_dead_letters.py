"""Dead letters that are posts by now, back onto a topic: `mltox replay-dead-letters`.

A letter is mended when its payload decodes to posts: the version that runs now reads the format
that another refused, or the letter was refused for something else than what it says (too late for
the stream, a model that failed). Others stay where they are.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from mltox.base.clock import now_micros, rfc3339
from mltox.base.command_line import Parser
from mltox.base.entry import reporting_errors
from mltox.base.errors import UsageError
from mltox.base.logs import LogFormat, log_format_argument, set_up
from mltox.google.pubsub.messages import Outgoing
from mltox.google.pubsub.publisher import Publisher
from mltox.posts.attributes import CREATED_AT, LETTER_ID, POST_ID
from mltox.posts.authors import AuthorKeys
from mltox.posts.envelope import Envelope
from mltox.posts.formats import decode
from mltox.posts.formats.masked import MASK
from mltox.posts.letters import REPLAYED
from mltox.posts.records import DeadLetter, Micros
from mltox.warehouse import Warehouse, open_warehouse, read_records

STAGES = ("parse", "score", "window")
"""Those whose payload is a post. What a table refused is a row, and no post any more."""
ADDRESSED = ("bluesky", "mastodon")


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0, or 2 with one line on what is wrong."""
    options = parser().parse_args(argv)
    set_up(LogFormat(options.log_format))
    return reporting_errors(lambda: run(options))


def parser() -> argparse.ArgumentParser:
    made = Parser(
        prog="mltox replay-dead-letters",
        description="Puts dead letters that can be read by now back onto a topic.\n\n"
        "reads   dead_letters of a warehouse\n"
        "writes  messages to a Pub/Sub topic (PUBSUB_EMULATOR_HOST: an emulator's)\n\n"
        "Doing it twice changes no table: a post that is there already is a duplicate. What is\n"
        "not mended, and rows that a table refused, are left out and counted.",
        epilog="example:\n  mltox replay-dead-letters --warehouse bq://p.mltox --stage parse"
        " --since 2026-03-01 --output-topic projects/p/topics/posts",
    )
    made.add_argument(
        "--warehouse",
        default="mltox.duckdb",
        metavar="URI",
        help="DuckDB file, or bq://project.dataset. Default: %(default)s",
    )
    made.add_argument(
        "--output-topic", metavar="PATH", help="Where to: projects/PROJECT/topics/NAME."
    )
    made.add_argument("--stage", choices=STAGES, help="Only letters of this stage.")
    made.add_argument("--error-type", metavar="NAME", help="Only letters of this kind.")
    made.add_argument(
        "--since",
        type=since,
        metavar="TIME",
        help="Only letters seen at or after this time, in ISO 8601; without an offset it is UTC.",
    )
    made.add_argument("--dry-run", action="store_true", help="Count, and publish nothing.")
    log_format_argument(made)
    return made


def since(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def run(options: argparse.Namespace) -> int:
    if not options.output_topic and not options.dry_run:
        raise UsageError("--output-topic: name projects/PROJECT/topics/NAME, or give --dry-run")
    with open_warehouse(options.warehouse) as warehouse:
        letters = letters_of(
            warehouse, stage=options.stage, error_type=options.error_type, since=options.since
        )
    found = [
        (letter, message_of(options.output_topic or "", letter, now_micros())) for letter in letters
    ]
    messages = [message for _, message in found if message is not None]
    left = Counter((each.stage, each.error_type) for each, message in found if message is None)
    sent = 0
    if not options.dry_run:
        with Publisher() as publisher:
            sent = publisher.publish(messages)
    print(report(len(letters), len(messages), sent, left))
    return 0


def letters_of(
    warehouse: Warehouse,
    *,
    stage: str | None = None,
    error_type: str | None = None,
    since: datetime | None = None,
) -> list[DeadLetter]:
    """Each letter once, in the order in which they were seen. Raises WarehouseError."""
    wanted = {"stage = ?": stage, "error_type = ?": error_type, "seen_at >= ?": since}
    conditions = {sql: value for sql, value in wanted.items() if value is not None}
    rows = read_records(
        warehouse,
        "dead_letters",
        DeadLetter,
        where=" AND ".join(conditions),
        params=tuple(conditions.values()),
        order_by="seen_at, letter_id",
    )
    # BigQuery has a row for each time that a letter was written.
    return list({row.letter_id: row for row in rows}.values())


def message_of(topic: str, letter: DeadLetter, now: Micros) -> Outgoing | None:
    """The letter's payload as a message, or None where it holds no post.

    The message stands for the letter and not for the post: Pub/Sub's `id_label` would take it for
    the one that was refused some minutes ago. `created_at` is the event time, as a source gives it.
    """
    if letter.stage not in STAGES:
        return None
    payload = letter.payload.encode("utf-8", "replace")
    # Only looked at here; the pseudonyms that this key makes go nowhere.
    items = list(decode(payload, authors=AuthorKeys(b"no pseudonym leaves here"), now=now))
    posts = [item for item in items if isinstance(item, Envelope)]
    if len(posts) < len(items) or not all(is_whole(post, letter.payload) for post in posts):
        return None
    attributes = {
        POST_ID: REPLAYED + letter.letter_id,
        CREATED_AT: rfc3339(min(post.created_at for post in posts)),
        LETTER_ID: letter.letter_id,
    }
    return Outgoing(topic, payload, attributes)


def is_whole(post: Envelope, payload: str) -> bool:
    """Whether nothing of the post was masked in its letter: such a one is replayed from its source.

    The ids of two networks follow from addresses, which a letter keeps only in an envelope.
    """
    if any(MASK in text for text in (post.post_id, post.text, *post.topics)):
        return False
    return post.source not in ADDRESSED or post.post_id in payload


def report(letters: int, mended: int, sent: int, left: Counter[tuple[str, str]]) -> str:
    """What was found and done, as a person reads it."""
    counts: Iterable[tuple[str, int]] = (
        ("letters", letters),
        ("= mended", mended),
        *((f"+ {stage}: {kind}", count) for (stage, kind), count in sorted(left.items())),
        ("published", sent),
    )
    return "\n".join(f"  {name:<32}{count:>12,}" for name, count in counts)


if __name__ == "__main__":
    sys.exit(main())
