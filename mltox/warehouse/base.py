"""What a warehouse can do, whichever database is behind it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, Self

import pyarrow as pa

from mltox.base.errors import UserError
from mltox.posts.records import Micros
from mltox.warehouse.forgetting import Forgotten


class WarehouseError(UserError):
    """What a person can act on, in one line."""


class WarehouseBusy(WarehouseError):
    """Another process holds the warehouse."""


class WarehouseBroken(WarehouseError):
    """This process cannot use the warehouse any more; another one can, once the cause is mended."""


class Warehouse(ABC):
    """Tables and views of `mltox.warehouse.schema` and `mltox/warehouse/views`.

    Every method raises WarehouseError with one clear line. A warehouse is a context manager.
    """

    uri: str

    @abstractmethod
    def create(self) -> None:
        """Makes the tables and views that are missing. Running it again changes nothing.

        Raises WarehouseError where a table stands that lacks a column.
        """

    @abstractmethod
    def upsert(self, table: str, rows: Sequence[tuple[Any, ...]]) -> int:
        """Writes `rows` and returns how many keys were added or changed.

        Of rows with one key, in `rows` and in the table, the greatest by the table's `order_by`
        stays; where that doesn't decide, the later written. A row that differs from the stored
        one in volatile columns alone changes nothing.
        """

    @abstractmethod
    def forget(self, post_ids: Iterable[str]) -> Forgotten:
        """Forgets posts that are gone at their source, see `mltox.warehouse.forgetting`.

        A post that comes later, within KEPT_DAYS, is forgotten as well: by DuckDB as it is
        written, by BigQuery at the next call. Forgetting twice changes nothing.
        """

    @abstractmethod
    def query(self, sql: str, params: Sequence[Any] = ()) -> pa.Table:
        """The result of one SELECT, with `params` bound to its `?` in order."""

    def during(self, start: Micros, end: Micros) -> Warehouse:
        """The same for reading, where no more is asked for than posts and hours of [start, end).

        What lies in files by day need not read the others. To be closed as well.
        """
        return self

    @abstractmethod
    def relation(self, name: str) -> str:
        """A table's or view's quoted name for use in SQL."""

    @abstractmethod
    def one_of(self, column: str) -> str:
        """SQL for whether a column has one of the values of the list bound to the next `?`."""

    @abstractmethod
    def close(self) -> None:
        """Gives back what is held. Closing twice is fine."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
