"""An object of this process, handed to the stages of a run that stays in it."""

from __future__ import annotations

from typing import Generic, NoReturn, TypeVar

from apache_beam.utils.shared import Shared

Value = TypeVar("Value", covariant=True)


class Held(Generic[Value]):
    """What a stage holds of `value`, which lives in the process that runs the graph.

    Beam pickles every stage, also for a runner of the same process, and a database connection or a
    lock can't be pickled. This is pickled as a handle (Beam's `Shared`) that finds the very object
    again: two runs of one process each have their own. Whoever made it keeps it for as long as the
    run lasts; on another machine there is nothing to be found, and `value` raises RuntimeError.
    """

    def __init__(self, value: Value) -> None:
        self._handle = Shared()
        self._value: Value | None = self._handle.acquire(lambda: value)

    @property
    def value(self) -> Value:
        if self._value is None:
            self._value = self._handle.acquire(_not_here)
        return self._value

    def __getstate__(self) -> dict[str, object]:
        return {"_handle": self._handle, "_value": None}


def _not_here() -> NoReturn:
    raise RuntimeError("a stage of a local run was carried to another process than its state")
