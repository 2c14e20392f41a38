"""`mltox score`: one text, or a file of texts."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

from commands.score_file import Job, score_file
from mltox.base.command_line import Parser
from mltox.base.entry import reporting_errors
from mltox.base.errors import UsageError
from mltox.posts.reading.how import How, delimiter_of
from mltox.posts.records import Scores
from mltox.scoring.bundle import DEFAULT_BUNDLE
from mltox.scoring.trial import opened

_FILE = re.compile(
    r".*\.(?:csv|tsv|tab|txt|jsonl?|ndjson|js|parquet|xlsx?|ods|sqlite|db|duckdb|avro|orc|feather"
    r"|xml|html?|pdf|zip|tar|tgz)(?:[-.][0-9]+)?(?:\.(?:gz|bz2|xz|zst|zip))?",
    re.IGNORECASE,
)
_PACKED = re.compile(r"[^\s]+\.(?:gz|bz2|xz|zst)", re.IGNORECASE)
_PLACE = re.compile(r"(?:\.{0,2}/|~/|[A-Za-z]:\\|gs://)\S+")


def parser() -> argparse.ArgumentParser:
    arguments = Parser(
        prog="mltox score",
        description="Scores the toxicity of a text, or of every text of a file.\n\n"
        "reads   a text; or a file: CSV, TSV, JSON, JSONL, Parquet, a text a line (.txt), also\n"
        "        packed (.gz, .bz2, .xz, .zst). What looks like a path is one, unless with --text\n"
        "writes  one text: a table of the labels (or JSON). A file: the same rows with a column\n"
        "        for each label (`toxicity`, or `toxicity_score` where that one exists; empty\n"
        "        for a language that the model does not know), model, threshold, toxic and\n"
        "        language\n\n"
        "exit code 0; 2 with one line on what is wrong; 130 for Ctrl-C",
        epilog='examples:\n  mltox score "have a nice day"\n'
        "  mltox score posts.csv --text-column tweet --out scored.csv",
    )
    arguments.add_argument("input", help="a text, or a file")
    arguments.add_argument("--text-column", default="text", help="column of the text (%(default)s)")
    arguments.add_argument("--lang-column", help="column of the language; default: it is detected")
    arguments.add_argument("--out", type=Path, help="file to write; its name says the format")
    arguments.add_argument(
        "--bundle",
        default=str(DEFAULT_BUNDLE),
        help="model: a folder or gs:// path; default: the one that ships",
    )
    arguments.add_argument("--threads", type=int, default=0, help="CPU threads (0: all)")
    arguments.add_argument("--delimiter", help="of a table; default: it is found out")
    arguments.add_argument(
        "--resume", action="store_true", help="go on where a run into the same --out was stopped"
    )
    arguments.add_argument(
        "--text", action="store_true", help="the input is a text, whatever it looks like"
    )
    arguments.add_argument("--json", action="store_true", help="one text: JSON instead of a table")
    return arguments


def main(argv: list[str] | None = None) -> int:
    options = parser().parse_args(argv)
    return reporting_errors(lambda: run(options))


def run(options: argparse.Namespace) -> int:
    if options.text or not is_meant_as_file(options.input):
        if options.resume:
            raise UsageError("--resume goes with a file")
        print(score_text(options))
        return 0
    path = Path(options.input).expanduser()
    if path.is_dir():
        raise UsageError(f"{path} is a folder; mltox score takes one file (or --text)")
    if not path.is_file():
        raise UsageError(f"there is no file {path} (to score it as a text give --text)")
    if not options.out:
        raise UsageError(f"to score the file {path} give --out FILE")
    job = Job(
        path,
        options.out,
        options.text_column,
        options.lang_column,
        How(delimiter=delimiter_of(options.delimiter)),
        options.resume,
    )
    scorer = opened(options.bundle, threads=options.threads)
    counts = score_file(job, scorer)
    print(
        f"{counts.rows:,} rows, {counts.unscored:,} of them not scored, into {job.out}"
        f" ({scorer.model})"
    )
    for line in counts.remarks.lines():
        print(f"  {line}", file=sys.stderr)
    return 0


def score_text(options: argparse.Namespace) -> str:
    """What is printed for one text."""
    scorer = opened(options.bundle, threads=options.threads, cache_size=1)
    [scores] = scorer.score([options.input])
    labels = scorer.bundle.labels
    if options.json:
        return json.dumps({"model": scorer.model, "threshold": scorer.threshold}
                          | {label: getattr(scores, label) for label in labels})  # fmt: skip
    if scores.toxicity is None:
        return f"not scored: not in a language of the model ({', '.join(scorer.bundle.languages)})"
    return score_table(scores, labels, scorer.threshold) + f"\n{scorer.model}"


def score_table(scores: Scores, labels: tuple[str, ...], threshold: float) -> str:
    """A line for each label with its probability as number and bar, then the verdict."""
    lines = []
    for label in labels:
        value = getattr(scores, label)
        lines.append(f"{label:<16} {value:6.3f}  {'█' * round(20 * value)}".rstrip())
    toxic = scores.toxicity is not None and scores.toxicity >= threshold
    lines.append(f"{'toxic' if toxic else 'not toxic'} (threshold {threshold:g})")
    return "\n".join(lines)


def is_meant_as_file(text: str) -> bool:
    """Whether an argument is meant as a file: it is one, or looks like a path to one.

    >>> is_meant_as_file("my tweets.json"), is_meant_as_file("what is in posts.csv today?")
    (True, False)
    """
    if "\0" in text or "\n" in text or not 0 < len(text) <= 1_000:
        return False
    if any(form.fullmatch(text) for form in (_FILE, _PACKED, _PLACE)):
        return True
    try:
        return Path(text).expanduser().exists()
    except (OSError, RuntimeError):
        return False


if __name__ == "__main__":
    raise SystemExit(main())
