"""Rows of a Parquet file, in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy
import pyarrow
import pyarrow.parquet
from numpy.typing import NDArray
from pyarrow import compute

from mltox.posts.reading.decompress import BytesProgress
from mltox.posts.reading.errors import InputError, error_line

READ_ROWS = 8192
MOST_BATCH_BYTES = 32_000_000
"""Of the values of a batch. A few kilobytes of a file may stand for gigabytes: a dictionary has one
long value for all rows."""
MOST_CELL_CHARACTERS = 200_000
"""Of a cell of text, of which more is cut off: a text that long is refused all the same."""


class ParquetDamage(Exception):
    """A Parquet file that cannot be read to its end; the message is one line."""


class ParquetTable:
    """A Parquet file. Raises InputError for one that is none, OSError if it cannot be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            schema = pyarrow.parquet.read_schema(path)
            texts = [field.name for field in schema if _is_text(field.type)]
            # So a value that many rows have is there once, whatever the writer's own schema says.
            self._file = pyarrow.parquet.ParquetFile(path, read_dictionary=texts)
        except (pyarrow.ArrowException, ValueError) as error:
            raise InputError(f"{path} is no Parquet file: {error_line(error)}") from error
        self.header: Sequence[str] = self._file.schema_arrow.names
        if len(set(self.header)) < len(self.header):
            raise InputError(f"{path} has two columns of one name")

    def batches(
        self, wanted: Sequence[str], progress: BytesProgress | None = None
    ) -> Iterator[list[list[Any]]]:
        """Yields a list of values for each wanted column, a batch of rows at a time. Raises
        ParquetDamage."""
        size, total = self._path.stat().st_size, max(self._file.metadata.num_rows, 1)
        number = 0
        try:
            for batch in self._file.iter_batches(batch_size=READ_ROWS, columns=list(wanted)):
                columns = [_cut(batch.column(name)) for name in wanted]
                for start, stop in _parts(columns, batch.num_rows):
                    yield [_values(column.slice(start, stop - start)) for column in columns]
                before, number = number, number + batch.num_rows
                if progress is not None:
                    progress(size * number // total - size * before // total)
        except (pyarrow.ArrowException, OSError) as error:
            raise ParquetDamage(f"damaged after row {number}: {error_line(error)}") from error


def _is_text(kind: Any) -> bool:
    types = pyarrow.types
    return bool(types.is_string(kind) or types.is_large_string(kind))


def _cut(column: Any) -> Any:
    """The column, its texts cut to MOST_CHARACTERS."""
    if pyarrow.types.is_dictionary(column.type):
        values = column.dictionary
        if _is_text(values.type):
            cut = compute.utf8_slice_codeunits(values, 0, MOST_CELL_CHARACTERS)
            return pyarrow.DictionaryArray.from_arrays(column.indices, cut)
    return column


def _parts(columns: Sequence[Any], rows: int) -> Iterator[tuple[int, int]]:
    """Runs of rows whose values have MOST_BYTES together, or of one row that has more."""
    sizes = sum((_sizes(column, rows) for column in columns), numpy.zeros(rows))
    if rows and sizes.sum() <= MOST_BATCH_BYTES:
        yield 0, rows
        return
    start, held = 0, 0.0
    for row, size in enumerate(sizes.tolist()):
        if row > start and held + size > MOST_BATCH_BYTES:
            yield start, row
            start, held = row, 0.0
        held += size
    if rows > start:
        yield start, rows


def _sizes(column: Any, rows: int) -> NDArray[numpy.float64]:
    """Bytes of each value; of what is no text the same for each."""
    if pyarrow.types.is_dictionary(column.type) and _is_text(column.dictionary.type):
        lengths = compute.binary_length(column.dictionary).take(column.indices)
        return numpy.asarray(compute.fill_null(lengths, 0), dtype=float)
    return numpy.full(rows, column.nbytes / max(rows, 1))


def _values(column: Any) -> list[Any]:
    if pyarrow.types.is_timestamp(column.type) and column.type.unit == "ns":
        # Python's datetime has microseconds; without this a stamp with more would raise
        column = column.cast(pyarrow.timestamp("us", column.type.tz), safe=False)
    if pyarrow.types.is_dictionary(column.type):
        # a part is bounded by now, and plain texts become Python's three times as fast
        column = column.dictionary_decode()
    try:
        values: list[Any] = column.to_pylist()
    except (OverflowError, ValueError):
        values = [_value(scalar) for scalar in column]
    return values


def _value(scalar: Any) -> Any:
    """A value as Python has it, or in words where Python has none, as of the year 20000."""
    try:
        return scalar.as_py()
    except (OverflowError, ValueError):
        return f"{scalar.type}: {getattr(scalar, 'value', 'unreadable')}"
