"""The files of a Parquet warehouse, on this machine or in a store."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow.fs import FileSelector, FileType, HadoopFileSystem, LocalFileSystem

from mltox.base.clock import now_micros
from mltox.base.errors import first_line
from mltox.base.places import PlaceError, filesystem_of
from mltox.warehouse.base import WarehouseError

MARK = "mltox-warehouse"
PART, WHOLE = "part", "whole"
ROW_GROUP = 50_000


class File(NamedTuple):
    """A file of a table. `kind`: `part`, as it was written, or `whole`, as it was compacted."""

    table: str
    partition: str
    name: str

    @property
    def kind(self) -> str:
        return self.name.partition("-")[0]

    @property
    def compaction(self) -> str:
        """Which compaction wrote it."""
        return self.name.split("-")[1]

    @property
    def path(self) -> str:
        return f"{self.table}/{self.partition}/{self.name}"


class Files:
    """Every method raises WarehouseError with one line."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        with self._errors():
            self.filesystem, self.root = filesystem_of(folder)

    def is_there(self) -> bool:
        with self._errors():
            return self.filesystem.get_file_info(f"{self.root}/{MARK}").type == FileType.File

    def make(self) -> None:
        if self.is_there():
            return
        with self._errors():
            self.filesystem.create_dir(self.root, recursive=True)
            with self.filesystem.open_output_stream(f"{self.root}/{MARK}") as stream:
                stream.write(b"1\n")

    def of(self, tables: Iterable[str]) -> list[File]:
        """All whole files of these tables, in a steady order; what a writer left half is none."""
        found = []
        with self._errors():
            for table in tables:
                selector = FileSelector(f"{self.root}/{table}", True, True)
                for info in self.filesystem.get_file_info(selector):
                    parts = info.path.rsplit("/", 2)
                    if info.type == FileType.File and parts[2].startswith(
                        (f"{PART}-", f"{WHOLE}-")
                    ):
                        found.append(File(table, parts[1], parts[2]))
        return sorted(found)

    def address(self, file: File) -> str:
        return f"{self.root}/{file.path}"

    def write(self, table: str, partition: str, rows: pa.Table, kind: str = "") -> File:
        """One file, there whole or not at all."""
        name = f"{kind or f'{PART}-{now_micros():x}'}-{uuid.uuid4().hex[:12]}.parquet"
        folder = f"{self.root}/{table}/{partition}"
        # A store shows an object when it is whole; a folder of files shows what is half written.
        renames = isinstance(self.filesystem, LocalFileSystem | HadoopFileSystem)
        draft = f"{folder}/.{name}" if renames else f"{folder}/{name}"
        with self._errors():
            self.filesystem.create_dir(folder, recursive=True)
            with self.filesystem.open_output_stream(draft) as stream:
                pq.write_table(rows, stream, compression="zstd", row_group_size=ROW_GROUP)
            if renames:
                self.filesystem.move(draft, f"{folder}/{name}")
        return File(table, partition, name)

    def remove(self, files: Iterable[File]) -> None:
        with self._errors():
            for file in files:
                self.filesystem.delete_file(self.address(file))

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except PlaceError as error:
            raise WarehouseError(f"parquet://{error}") from error
        except (pa.ArrowException, OSError) as error:
            raise WarehouseError(f"parquet://{self.folder}: {first_line(error)}") from error
