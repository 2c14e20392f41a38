"""Work on many items at once, of which one may have it fail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def salvaged(
    items: Sequence[Item],
    work: Callable[[Sequence[Item]], Sequence[Result]],
    probe: Callable[[], object],
) -> list[Result | Exception]:
    """What `work` makes of each item, or the error that it raises for that item alone.

    Where the work fails it is done on halves, until what fails is alone. An item is at fault if it
    fails, `probe` (the same work on something harmless) does not, and the item fails once more.
    Where the probe fails, no item is at fault: its error is raised.

    >>> def inverses(numbers: Sequence[int]) -> list[float]:
    ...     return [1 / number for number in numbers]
    >>> salvaged([1, 2, 0, 4], inverses, probe=lambda: inverses([1]))
    [1.0, 0.5, ZeroDivisionError('division by zero'), 0.25]
    """
    try:
        return list(work(items))
    except BaseException as error:
        _raise_unless_of_the_work(error)
        if len(items) == 1:
            return _once_more(items, work, probe)
    half = len(items) // 2
    return [*salvaged(items[:half], work, probe), *salvaged(items[half:], work, probe)]


def _once_more(
    items: Sequence[Item],
    work: Callable[[Sequence[Item]], Sequence[Result]],
    probe: Callable[[], object],
) -> list[Result | Exception]:
    probe()
    try:
        return list(work(items))
    except BaseException as error:
        _raise_unless_of_the_work(error)
        return [error if isinstance(error, Exception) else RuntimeError(str(error))]


def _raise_unless_of_the_work(error: BaseException) -> None:
    """A panic of a library in Rust is no Exception, and yet one item's fault as any other."""
    if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
        raise error
