"""Rows into a file of the kind that its name says, as they come; a run that was cut goes on."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from mltox.base.errors import UserError
from mltox.base.text import storable

WrittenRow = dict[str, Any]

_DELIMITERS = {".csv": ",", ".tsv": "\t"}
_JSON_LINES = (".jsonl", ".ndjson")
_KINDS = (*_DELIMITERS, *_JSON_LINES, ".parquet")


class OutputError(UserError):
    """A file cannot be written; the message is one line for a person."""


def kind_to_write(path: Path) -> str:
    """The suffix that says how to write (`.csv` for `posts.csv.gz`). Raises OutputError."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    if not suffixes or suffixes[-1] not in _KINDS:
        raise OutputError(
            f"cannot write {path}: its name must end in .csv or .jsonl (also .tsv, .parquet)"
        )
    return suffixes[-1]


class Writer:
    """Writes rows to a file, which appears when all is written.

    In a Parquet file `numbers` are float64, and all other columns strings (values that are none as
    JSON). With `run`, which says what a run is of, a run that is stopped leaves what it has
    written, and `resume` goes on there: `rows_done` are there already. Not for Parquet, which is
    written at its end.
    """

    def __init__(
        self,
        path: Path,
        columns: Sequence[str],
        numbers: Sequence[str] = (),
        run: str = "",
        *,
        resume: bool = False,
    ) -> None:
        self._kind = kind_to_write(path)
        self._path = path
        self._columns = list(columns)
        self._numbers = numbers
        self._run = run
        self._partial = path.with_name(f".{path.name}.partial")
        self._state = path.with_name(f".{path.name}.progress")
        self._parquet: Any = None
        self._raw: BinaryIO
        self.rows_done = 0
        self._bytes_done = 0
        if resume:
            self._look()

    def _look(self) -> None:
        if self._kind == ".parquet":
            raise OutputError("--resume goes with .csv, .tsv and .jsonl; Parquet is written whole")
        try:
            state = json.loads(self._state.read_text("utf-8"))
            size = self._partial.stat().st_size
        except (OSError, ValueError):
            return  # nothing was begun
        if state.get("run") != self._run or size < state["bytes"]:
            raise OutputError(
                f"{self._path}: what was begun is of another input, model or option; without"
                " --resume it is written anew"
            )
        self.rows_done, self._bytes_done = int(state["rows"]), int(state["bytes"])
        self._columns = state["columns"]

    @property
    def columns(self) -> Sequence[str]:
        """Those that are written; of a run that goes on, those it began with."""
        return self._columns

    def __enter__(self) -> Writer:
        try:
            if self._bytes_done:
                self._raw = self._partial.open("r+b")
                self._raw.truncate(self._bytes_done)
                self._raw.seek(self._bytes_done)
            else:
                self._state.unlink(missing_ok=True)
                self._raw = self._partial.open("wb")
        except OSError as error:
            raise OutputError(f"cannot write {self._path}: {error.strerror or error}") from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._parquet is not None:
            self._parquet.close()
        self._raw.close()
        if error is None:
            self._partial.replace(self._path)
            self._state.unlink(missing_ok=True)
        elif not (isinstance(error, KeyboardInterrupt) and self._bytes_done):
            self._partial.unlink(missing_ok=True)
            self._state.unlink(missing_ok=True)

    def write(self, rows: Sequence[WrittenRow]) -> None:
        """Appends rows; what is in none of the columns is in JSON alone. Raises OutputError."""
        try:
            if self._kind == ".parquet":
                self._write_parquet(rows)
                return
            data = self._text(rows).encode("utf-8", "replace")
            # No time stamp inside: the same rows make the same file. Each part can end it.
            self._raw.write(
                gzip.compress(data, mtime=0) if self._path.suffix.lower() == ".gz" else data
            )
            self._raw.flush()
            self.rows_done += len(rows)
            self._bytes_done = self._raw.tell()
            self._note()
        except OSError as error:
            raise OutputError(f"cannot write {self._path}: {error.strerror or error}") from error

    def _note(self) -> None:
        if not self._run:
            return
        os.fsync(self._raw.fileno())
        state = {
            "run": self._run,
            "rows": self.rows_done,
            "bytes": self._bytes_done,
            "columns": self._columns,
        }
        beside = self._state.with_name(self._state.name + ".new")
        beside.write_text(json.dumps(state), "utf-8")
        beside.replace(self._state)

    def _text(self, rows: Sequence[WrittenRow]) -> str:
        if self._kind in _JSON_LINES:
            return "".join(json.dumps(row, default=str) + "\n" for row in rows)
        text = io.StringIO(newline="")
        writer = csv.DictWriter(
            text, self._columns, delimiter=_DELIMITERS[self._kind], extrasaction="ignore"
        )
        if not self.rows_done:
            writer.writeheader()
        writer.writerows([{name: _plain(row.get(name)) for name in self._columns} for row in rows])
        return text.getvalue()

    def _write_parquet(self, rows: Sequence[WrittenRow]) -> None:
        schema = pa.schema(
            [
                (name, pa.float64() if name in self._numbers else pa.string())
                for name in self._columns
            ]
        )
        if self._parquet is None:
            self._parquet = pq.ParquetWriter(self._raw, schema)
        cells = [{name: self._cell(name, row.get(name)) for name in self._columns} for row in rows]
        self._parquet.write_table(pa.Table.from_pylist(cells, schema))
        self.rows_done += len(rows)

    def _cell(self, name: str, value: Any) -> Any:
        if value is None or name in self._numbers:
            return value
        text = value if isinstance(value, str) else json.dumps(value, default=str)
        return storable(text)


def _plain(value: Any) -> Any:
    """Lists and objects as JSON, a string without lone surrogates; anything else as it is."""
    if isinstance(value, dict | list):
        return json.dumps(value, default=str)
    return storable(value) if isinstance(value, str) else value
