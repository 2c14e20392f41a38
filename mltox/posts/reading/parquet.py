"""Rows of a Parquet file, in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from mltox.posts.reading.decompress import Progress
from mltox.posts.reading.errors import InputError, one_line

BATCH = 8192


class ParquetDamage(Exception):
    """A Parquet file that cannot be read to its end; the message is one line."""


class ParquetTable:
    """A Parquet file. Raises InputError for one that is none, OSError if it cannot be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = pyarrow.parquet.ParquetFile(path)
        except pyarrow.ArrowException as error:
            raise InputError(f"{path} is no Parquet file: {one_line(error)}") from error
        self.header: Sequence[str] = self._file.schema_arrow.names

    def batches(
        self, wanted: Sequence[str], progress: Progress | None = None
    ) -> Iterator[list[list[Any]]]:
        """Yields a list of values for each wanted column, a batch of rows at a time. Raises
        ParquetDamage."""
        size, total = self._path.stat().st_size, max(self._file.metadata.num_rows, 1)
        number = 0
        try:
            for batch in self._file.iter_batches(batch_size=BATCH, columns=list(wanted)):
                yield [_values(batch.column(name)) for name in wanted]
                before, number = number, number + batch.num_rows
                if progress is not None:
                    progress(size * number // total - size * before // total)
        except (pyarrow.ArrowException, OSError) as error:
            raise ParquetDamage(f"damaged after row {number}: {one_line(error)}") from error


def _values(column: Any) -> list[Any]:
    if pyarrow.types.is_timestamp(column.type) and column.type.unit == "ns":
        # Python's datetime has microseconds; without this a stamp with more would raise
        column = column.cast(pyarrow.timestamp("us", column.type.tz), safe=False)
    values: list[Any] = column.to_pylist()
    return values
