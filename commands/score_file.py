"""A file of texts, and the same rows with their scores."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from mltox.base.errors import UsageError
from mltox.base.showing import progress_bar
from mltox.posts.reading.errors import InputError
from mltox.posts.reading.files import count_hint
from mltox.posts.reading.how import How
from mltox.posts.reading.raw_rows import RawRow, read_raw_rows
from mltox.posts.reading.remarks import Remarks
from mltox.posts.reading.sniff import FileKind, sniff
from mltox.posts.records import LABELS, Scores
from mltox.posts.writing import Writer, kind_to_write
from mltox.scoring.language import judged
from mltox.scoring.normalise import normalise
from mltox.scoring.scorer import Scorer

CHUNK_ROWS = 2_048
OF_RUN = ("model", "threshold", "toxic", "language")
"""Columns beside the labels: which model, from where on it says toxic, whether it does, and in what
language it took the text to be."""


class Job(NamedTuple):
    """What is to be scored, and into what."""

    path: Path
    out: Path
    text_column: str
    lang_column: str | None
    how: How
    resume: bool


class RowCounts(NamedTuple):
    """Rows of the file, and those of them without scores."""

    rows: int
    unscored: int
    remarks: Remarks


def score_file(job: Job, scorer: Scorer) -> RowCounts:
    """Scores a file chunk by chunk. Raises InputError, OutputError, UsageError."""
    if job.out.resolve() == job.path.resolve():
        raise UsageError(f"--out is the same file as the one to read ({job.path})")
    kind_to_write(job.out)  # before anything is read for a wrong name
    names = _names(job)
    own = _own_columns(scorer.bundle.labels, names)
    numbers = [own[label] for label in (*scorer.bundle.labels, "threshold")]
    remarks = Remarks()
    unscored = 0
    writer = Writer(
        job.out,
        [*names, *own.values()],
        numbers,
        _identity(job, scorer),
        resume=job.resume,
    )
    done = writer.rows_done
    with writer, progress_bar(count_hint([job.path]), "scoring", "B") as advance:
        rows = read_raw_rows(job.path, job.text_column, advance, how=job.how, remarks=remarks)
        for chunk in _chunks(islice(rows, done, None)):
            found = _scored(scorer, chunk, job)
            for row, values in zip(chunk, found, strict=True):
                row |= {own[name]: value for name, value in values.items()}
                unscored += values["toxicity"] is None
            writer.write(chunk)
        if not writer.rows_done:
            raise InputError(f"{job.path} has no rows")
    return RowCounts(writer.rows_done, unscored, remarks)


def _names(job: Job) -> list[str]:
    """All columns that rows have: of JSON only the last row tells, of all else the first."""
    if sniff(job.path).kind is not FileKind.JSON:
        rows = read_raw_rows(job.path, job.text_column, how=job.how)
        return list(next(iter(rows), {}))
    names: dict[str, None] = {}
    for row in read_raw_rows(job.path, job.text_column, how=job.how):
        names.update(dict.fromkeys(row))
    return list(names)


def _own_columns(labels: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """The column of each value; a column that is there is not written over."""
    columns = {label: f"{label}_score" if label in names else label for label in labels}
    return columns | {name: f"mltox_{name}" if name in names else name for name in OF_RUN}


def _identity(job: Job, scorer: Scorer) -> str:
    """What a run is of: another input or another model is another run."""
    found = job.path.stat()
    return json.dumps(
        [str(job.path.resolve()), found.st_size, found.st_mtime_ns, scorer.model, job.text_column,
         job.lang_column, job.how.delimiter]
    )  # fmt: skip


def _chunks(rows: Iterator[RawRow]) -> Iterator[list[RawRow]]:
    while chunk := list(islice(rows, CHUNK_ROWS)):
        yield chunk


def _scored(scorer: Scorer, rows: Sequence[RawRow], job: Job) -> list[dict[str, Any]]:
    texts = [_text(row.get(job.text_column)) for row in rows]
    langs = [_text(row.get(job.lang_column)) if job.lang_column else None for row in rows]
    scores = scorer.score(texts, langs)
    return [
        _values(scorer, text, lang, found)
        for text, lang, found in zip(texts, langs, scores, strict=True)
    ]


def _values(scorer: Scorer, text: str | None, lang: str | None, scores: Scores) -> dict[str, Any]:
    values = {label: getattr(scores, label) for label in LABELS if label in scorer.bundle.labels}
    toxicity = scores.toxicity
    language = judged(normalise(text), lang, scorer.bundle.languages).language if text else None
    return values | {
        "model": scorer.model,
        "threshold": scorer.threshold,
        "toxic": None if toxicity is None else str(toxicity >= scorer.threshold).lower(),
        "language": language,
    }


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else str(value)
