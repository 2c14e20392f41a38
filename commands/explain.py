"""`mltox explain`: what an hour of a topic was about, from the posts that are stored of it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from dashboards.opened import opened_json
from dashboards.text import clipped, visible
from mltox.base.command_line import Parser
from mltox.base.entry import reporting_errors
from mltox.base.errors import UsageError
from mltox.evidence.span import Evidence, PostWorthReading
from mltox.evidence.stored import Opened, WarehouseReader, open_span
from mltox.posts.records import HOUR, SECOND, Micros
from mltox.warehouse import Warehouse, open_for_reading

MOST_SPAN_HOURS = 31 * 24
TEXT_WIDTH = 200

DESCRIPTION = """\
Tells what an hour of a topic was about: the words that set it apart from the weeks before, who
wrote (one voice, a few, many), the posts that are most toxic, most repeated, and some at random.
Texts are printed as they were written, offensive ones too.

reads   scored_posts and hourly_toxicity of a warehouse
writes  nothing
"""
EXAMPLE = """\
example:
  mltox explain --warehouse politics.duckdb --topic politics --hour 2026-05-01T13:00Z
"""


def parser() -> argparse.ArgumentParser:
    made = Parser(
        prog="mltox explain",
        description=DESCRIPTION,
        epilog=EXAMPLE,
    )
    made.add_argument(
        "--warehouse", required=True, metavar="URI", help="a DuckDB file, or bq://project.dataset"
    )
    made.add_argument("--topic", metavar="NAME", help="needed where the warehouse has several")
    made.add_argument(
        "--hour",
        required=True,
        type=moment,
        metavar="TIME",
        help="any moment of the hour, UTC where it names no zone, such as 2026-05-01T13:00Z",
    )
    made.add_argument(
        "--hours", type=count_of_hours, default=1, metavar="N", help="so many from it (default: 1)"
    )
    made.add_argument(
        "--keywords",
        default="",
        metavar="WORD,…",
        help="words of the topic that explain nothing; those of its name are known",
    )
    made.add_argument(
        "--format", choices=("text", "json"), default="text", help="default: %(default)s"
    )
    return made


def moment(text: str) -> Micros:
    """The start of its hour. UTC where no zone is named."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time such as 2026-05-01T13:00Z") from None
    whole = int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()) * SECOND
    return whole - whole % HOUR


def count_of_hours(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST_SPAN_HOURS:
        raise argparse.ArgumentTypeError(f"{text!r} is not from 1 to {MOST_SPAN_HOURS}")
    return int(text)


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the evidence; 0, or 2 with one line on stderr."""
    options = parser().parse_args(argv)
    return reporting_errors(lambda: run(options))


def run(options: argparse.Namespace) -> int:
    words = [word for word in options.keywords.split(",") if word.strip()]
    with open_for_reading(options.warehouse) as warehouse:
        topic = chosen_topic(warehouse, options.topic)
        end = options.hour + options.hours * HOUR
        opened = open_span(warehouse, topic, options.hour, end, words)
        if not opened.posts:
            raise UsageError(no_posts(warehouse, topic, options.hour))
    print(json.dumps(opened_json(opened), indent=1) if options.format == "json" else told(opened))
    return 0


def chosen_topic(warehouse: Warehouse, given: str | None) -> str:
    """The one that is named, or the only one. Raises UsageError."""
    names = [row["topic"] for row in _rows(warehouse, "SELECT topic FROM {} ORDER BY topic")]
    if given is None and len(names) == 1:
        return str(names[0])
    if given in names:
        return str(given)
    known = ", ".join(clipped(visible(name), 40) for name in names[:10]) or "none"
    wanted = "--topic: name one" if given is None else f"--topic: there is no {visible(given)!r}"
    raise UsageError(f"{wanted} of: {known}")


def no_posts(warehouse: Warehouse, topic: str, hour: Micros) -> str:
    sql = "SELECT first_hour, last_hour FROM {} WHERE topic = ?"
    (row,) = _rows(warehouse, sql, [topic])
    first, last = (f"{row[name]:%Y-%m-%dT%H:%MZ}" for name in ("first_hour", "last_hour"))
    name = clipped(visible(topic), 40)
    return f"{name} has no posts at {stamp(hour)}; its hours are {first} to {last}"


def _rows(warehouse: WarehouseReader, sql: str, params: Sequence[Any] = ()) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = warehouse.query(
        sql.format(warehouse.relation("topic_summary")), params
    ).to_pylist()
    return found


def stamp(at: Micros) -> str:
    return f"{datetime.fromtimestamp(at // SECOND, UTC):%Y-%m-%dT%H:%MZ}"


def told(opened: Opened) -> str:
    return "\n".join(_lines(opened))


def _lines(opened: Opened) -> Iterator[str]:
    found = opened.evidence
    yield f"{visible(opened.topic)}, {stamp(opened.start)} to {stamp(opened.end)}"
    if opened.part < 1:
        yield f"  {opened.posts:,} posts; read: {opened.part:.0%} of the texts with their copies"
    yield f"  posts          {found.posts:,}, of which scored {found.scored:,}"
    if found.scored:
        yield f"  toxic          {found.toxic:,} ({found.toxic / found.scored:.1%} of the scored)"
        yield f"  mean toxicity  {found.mean_toxicity:.3f}"
    yield f"  authors        {voices(found)}"
    if found.distinct_texts is not None:
        yield f"  texts          {found.distinct_texts:,} different ones"
    yield f"  sources        {counted(found.sources)}"
    yield f"  languages      {counted(found.languages)}"
    against = "posts of the four weeks before" if opened.before else "other posts of the topic"
    yield f"\nmore than in {found.compared_with:,} {against}:"
    for term in found.terms:
        yield f"  {visible(term.text)}  ({term.posts:,} posts, {term.authors:,} authors)"
    if not found.terms:
        yield "  nothing that is said by three people at least"
    yield from _posts("most toxic", found.most_toxic)
    yield from _posts("most repeated", found.most_repeated)
    yield from _posts("at random", found.random)


def voices(found: Evidence) -> str:
    """
    >>> from mltox.evidence.span import Authors, evidence
    >>> from mltox.evidence.terms import Background
    >>> voices(evidence([], Background()))
    'not known'
    """
    authors = found.authors
    if authors.half is None or authors.top_share is None:
        return "not known"
    half = "one of them" if authors.half == 1 else f"{authors.half:,} of them"
    return f"{authors.known:,}; {half} wrote half of the posts, the busiest {authors.top_share:.0%}"


def counted(names: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{visible(name) or 'others'} {count:,}" for name, count in names)


def _posts(kind: str, posts: Sequence[PostWorthReading]) -> Iterator[str]:
    if not posts:
        return
    yield f"\n{kind}:"
    for post, copies, authors in posts:
        score = "not scored" if post.toxicity is None else f"{post.toxicity:.3f}"
        times = f", {copies:,} times by {authors:,} authors" if copies > 1 else ""
        text = "(text not stored)" if post.text is None else clipped(visible(post.text), TEXT_WIDTH)
        yield f"  {score}{times}  {' '.join(text.split())}"


if __name__ == "__main__":
    sys.exit(main())
