"""`mltox score`: one text, or a file of texts."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tqdm import tqdm

from mltox.base.command_line import Parser
from mltox.posts.reading.tables import Row, TableError, Writer, kind, read_chunks
from mltox.posts.records import LABELS, UNSCORED, Scores
from mltox.scoring.bundle import DEFAULT_BUNDLE, BundleError
from mltox.scoring.scorer import Scorer
from mltox.scoring.trial import opened

CHUNK_ROWS = 2_048


def parser() -> argparse.ArgumentParser:
    arguments = Parser(
        prog="mltox score",
        description="Scores the toxicity of a text, or of every text of a file.\n\n"
        "reads   a text; or a .csv, .tsv, .jsonl, .txt (each also .gz) or .parquet file\n"
        "writes  one text: a table of the labels (or JSON). A file: the same rows with a column\n"
        "        for each label (`toxicity`, or `toxicity_score` where that one exists),\n"
        "        empty for texts in a language that the model does not know",
        epilog='examples:\n  mltox score "have a nice day"\n'
        "  mltox score posts.csv --text-column tweet --out scored.csv",
    )
    arguments.add_argument("input", help="a text, or a file")
    arguments.add_argument("--text-column", default="text", help="column of the text (%(default)s)")
    arguments.add_argument("--lang-column", help="column of the language; default: it is detected")
    arguments.add_argument("--out", type=Path, help="file to write; its name says the format")
    arguments.add_argument("--bundle", default=str(DEFAULT_BUNDLE), help="model: a folder or gs://"
                           " path; default: the one that ships")  # fmt: skip
    arguments.add_argument("--threads", type=int, default=0, help="CPU threads (0: all)")
    arguments.add_argument("--json", action="store_true", help="one text: JSON instead of a table")
    return arguments


def main(argv: list[str] | None = None) -> int:
    options = parser().parse_args(argv)
    path = Path(options.input)
    try:
        if _names_a_file(options.input):
            if not options.out:
                raise TableError(f"to score the file {path} give --out FILE")
            score_file(path, options)
        else:
            print(score_text(options))
    except (BundleError, TableError) as error:
        print(f"mltox score: {error}", file=sys.stderr)
        return 2
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
    return table(scores, labels, scorer.threshold) + f"\n{scorer.model}"


def table(scores: Scores, labels: tuple[str, ...], threshold: float) -> str:
    """A line for each label with its probability as number and bar, then the verdict."""
    lines = []
    for label in labels:
        value = getattr(scores, label)
        lines.append(f"{label:<16} {value:6.3f}  {'█' * round(20 * value)}".rstrip())
    toxic = scores.toxicity is not None and scores.toxicity >= threshold
    lines.append(f"{'toxic' if toxic else 'not toxic'} (threshold {threshold:g})")
    return "\n".join(lines)


def score_file(path: Path, options: argparse.Namespace) -> None:
    """Scores `path` chunk by chunk into `options.out`. Raises TableError, BundleError."""
    if kind(path) is None:
        raise TableError(f"{path} is no .csv, .tsv, .jsonl, .txt or .parquet file")
    if not path.is_file():
        raise TableError(f"there is no file {path}")
    if options.out.resolve() == path.resolve():
        raise TableError(f"--out is the same file as the one to read ({path})")
    scorer = opened(options.bundle, threads=options.threads)
    columns: dict[str, str] = {}
    rows = unscored = 0
    size = path.stat().st_size
    bar = tqdm(total=size, unit="B", unit_scale=True, desc="scoring", disable=None)
    with bar, Writer(options.out, [*LABELS, *(f"{label}_score" for label in LABELS)]) as writer:
        for chunk in read_chunks(path, options.text_column, CHUNK_ROWS):
            if not columns:
                columns = _score_columns(scorer.bundle.labels, chunk.rows[0])
            found = _scores_of(scorer, chunk.rows, options.text_column, options.lang_column)
            for row, scores in zip(chunk.rows, found, strict=True):
                row |= {column: getattr(scores, label) for label, column in columns.items()}
            writer.write(chunk.rows)
            rows += len(chunk.rows)
            unscored += sum(scores is UNSCORED for scores in found)
            bar.update(chunk.position - bar.n)
        if not rows:
            raise TableError(f"{path} has no rows")
    print(f"{rows:,} rows, {unscored:,} of them not scored, into {options.out} ({scorer.model})")


def _scores_of(
    scorer: Scorer, rows: list[Row], text_column: str, lang_column: str | None
) -> list[Scores]:
    """The scores of each row; `UNSCORED` where there is no text."""
    texts = [_text(row.get(text_column)) for row in rows]
    langs = [_text(row.get(lang_column)) or None if lang_column else None for row in rows]
    scores = scorer.score(texts, langs)
    return [found if text.strip() else UNSCORED for found, text in zip(scores, texts, strict=True)]


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else str(value)


def _score_columns(labels: tuple[str, ...], row: Row) -> dict[str, str]:
    return {label: f"{label}_score" if label in row else label for label in labels}


def _names_a_file(text: str) -> bool:
    """Whether an argument is meant as a file: it is one, or is a lone word that ends like one."""
    if "\0" in text or len(text) > 1_000:
        return False
    return kind(Path(text)) is not None and (" " not in text or Path(text).is_file())


if __name__ == "__main__":
    raise SystemExit(main())
