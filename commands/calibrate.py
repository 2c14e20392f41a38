"""`mltox calibrate`: scores on the scale that a user's thresholds were chosen on."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mltox.base.command_line import Parser
from mltox.base.entry import reporting_errors
from mltox.base.errors import UsageError
from mltox.posts.reading.raw_rows import read_raw_rows
from mltox.scoring.bundle import DEFAULT_BUNDLE
from mltox.scoring.scale.attributes import ATTRIBUTES
from mltox.scoring.scale.calibrate import calibrate, check_map, linked_pairs, write_map
from mltox.scoring.scale.maps import FILE
from mltox.scoring.scale.pairs import read_pairs
from mltox.scoring.scorer import Scorer

DESCRIPTION = """\
Fits a monotone map from the model's probability to Perspective's score, from pairs of a text and
its Perspective score, so that thresholds stay what they were. `mltox serve` uses it by itself.

Reads:  --against: a table (CSV, TSV, JSONL, Parquet, also packed) with a column of texts and one of
        scores. Best a plain sample of the texts that will be scored.
Writes: the map, into perspective.json beside the bundle (or --out), and a report on it.
With --collect it makes that table instead: it asks Perspective for the scores of the texts in a
file, one a second, until the service ends on 31 December 2026. The key comes from the environment
variable PERSPECTIVE_API_KEY. The same command goes on where an earlier one was stopped.
"""
EXAMPLE = """\
example:
  mltox calibrate --collect comments.csv --attribute TOXICITY --out pairs.csv
  mltox calibrate --against pairs.csv --attribute TOXICITY
"""


def parser() -> argparse.ArgumentParser:
    made = Parser(prog="mltox calibrate", description=DESCRIPTION, epilog=EXAMPLE)
    what = made.add_mutually_exclusive_group(required=True)
    what.add_argument("--against", type=Path, metavar="PAIRS", help="pairs to fit the map on")
    what.add_argument(
        "--collect", type=Path, metavar="TEXTS", help="ask Perspective for the scores of these"
    )
    made.add_argument(
        "--attribute",
        action="append",
        choices=list(ATTRIBUTES),
        help="what is scored; may be given several times (default: TOXICITY)",
    )
    made.add_argument(
        "--text-column",
        default="text",
        help="column of the text (default: %(default)s)",
    )
    made.add_argument(
        "--score-column",
        help="column of the Perspective score (default: the attribute's name)",
    )
    made.add_argument(
        "--check", type=Path, metavar="PAIRS", help="other pairs, to check the map on"
    )
    made.add_argument("--source", help="what the report calls the pairs (default: the file's name)")
    made.add_argument(
        "--bundle",
        default=str(DEFAULT_BUNDLE),
        help="model: a folder or gs:// path; default: the one that ships",
    )
    made.add_argument(
        "--out", type=Path, metavar="FILE", help="where to write (default: beside the bundle)"
    )
    made.add_argument("--endpoint", help=argparse.SUPPRESS)
    return made


def main(argv: Sequence[str] | None = None) -> int:
    options = parser().parse_args(argv)
    return reporting_errors(lambda: run(options))


def run(options: argparse.Namespace) -> int:
    attributes = options.attribute or ["TOXICITY"]
    if options.collect:
        return _collect(options, attributes)
    if options.score_column and len(attributes) > 1:
        raise UsageError("--score-column names one column: give one --attribute with it")
    scorer = Scorer(options.bundle)
    file = options.out or _beside(options.bundle)
    for attribute in attributes:
        column = options.score_column or attribute
        label = ATTRIBUTES[attribute]
        if label not in scorer.bundle.labels:
            raise UsageError(f"the bundle {scorer.model} has no {label}, which is {attribute}")
        pairs = read_pairs(options.against, options.text_column, column)
        linked = linked_pairs(scorer, label, pairs)
        made, entry = calibrate(attribute, linked, options.source or options.against.name)
        if options.check:
            other = linked_pairs(
                scorer, label, read_pairs(options.check, options.text_column, column)
            )
            entry["checked_on"] = check_map(made, other, options.check.name)
        write_map(file, scorer, attribute, entry)
        print("\n".join(report(attribute, entry, pairs.skipped)))
    print(f"\nwritten to {file} for {scorer.model}")
    return 0


def report(attribute: str, entry: dict[str, Any], skipped: int) -> list[str]:
    """The lines that a person reads on a map."""
    fitted = entry["fitted_on"]
    lines = [
        f"{attribute}: {len(entry['knots'])} knots (version {entry['version']}) from"
        f" {fitted['pairs']:,} pairs of {fitted['source']}",
        f"not used: {skipped:,} rows without a text or a score, {fitted['unscored']:,} texts in"
        " other languages",
    ]
    sets = [
        ("pairs, probability", entry["agreement"]["probability"]),
        ("pairs, mapped (cross-validated)", entry["agreement"]["cross_validated"]),
    ]
    if checked := entry.get("checked_on"):
        sets += [
            (f"{checked['source']}, probability", checked["probability"]),
            (f"{checked['source']}, mapped", checked["mapped"]),
        ]
    width = max(len(name) for name, _ in sets)
    thresholds = list(sets[0][1]["at"])
    lines.append(
        f"{'':<{width}}  pairs  distance   bias"
        + "".join(f"   ≥ {each}: ours/theirs/J" for each in thresholds)
    )
    for name, found in sets:
        at = "".join(
            f"   {found['at'][each]['ours']:>7}/{found['at'][each]['theirs']:>4}"
            f"/{_share(found['at'][each]['jaccard'])}"
            for each in thresholds
        )
        lines.append(
            f"{name:<{width}}  {found['pairs']:>5}  {found['mean_distance']:>8.4f}"
            f" {found['bias']:>+6.3f}{at}"
        )
    toxic = entry["agreement"]["probability"]["at"]["0.5"]["theirs"]
    if toxic < 50:
        lines.append(f"only {toxic} pairs have a score of 0.5 or more: the map says little there")
    return lines


def _share(value: float | None) -> str:
    return "   –" if value is None else f"{value:.2f}"


def _collect(options: argparse.Namespace, attributes: Sequence[str]) -> int:
    from serving.collector import ENDPOINT, collect, perspective

    if not options.out:
        raise UsageError("--collect needs --out FILE, a .csv of pairs to write")
    ask = perspective(options.endpoint or ENDPOINT, attributes)
    texts = _texts(options.collect, options.text_column)
    written, refused = collect(texts, options.out, attributes, ask)
    print(f"{written:,} texts asked for, {refused:,} of them refused, into {options.out}")
    return 0


def _texts(file: Path, column: str) -> Iterator[str]:
    for row in read_raw_rows(file, column):
        if isinstance(text := row.get(column), str):
            yield text


def _beside(bundle: str) -> Path:
    if bundle.startswith("gs://"):
        raise UsageError("a bundle on Cloud Storage: give --out FILE for the map")
    return Path(bundle) / FILE


if __name__ == "__main__":
    raise SystemExit(main())
