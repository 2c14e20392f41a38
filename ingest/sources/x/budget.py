"""The spend guard of networks that charge by the post: so many reads a calendar month, no more.

Reads are counted before they are made, so that a run that is killed in between has counted too many
and never too few:

    grant = budget.reserve(100)          # may grant fewer; raises BudgetSpent where none are left
    posts = fetch(max_results=grant.reads)
    budget.settle(grant, len(posts))     # gives back what was not read

The count is kept beside the cursors and is the same for all runs with that `--state`.
"""

from __future__ import annotations

import argparse
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, Decimal, InvalidOperation
from typing import NamedTuple

from ingest.cursors.opening import open_store
from ingest.cursors.store import Conflict, Store
from ingest.sources.source import SourceError

log = logging.getLogger(__name__)

WARN_AT = 0.8
RESERVE_TRIES = 20
_MONEY = re.compile(r"(?:\$|usd\s*)?([0-9]+(?:\.[0-9]+)?)(?:\s*usd|\s*\$)?", re.IGNORECASE)

UtcClock = Callable[[], datetime]


class BudgetSpent(SourceError):
    """The month's reads are used up, or fewer are left than a request takes at least."""


class ReservedReads(NamedTuple):
    """Reads that are counted already; `month` (YYYY-MM, UTC) is the one that pays for them."""

    month: str
    reads: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("budget", "limits of a calendar month (UTC)")
    group.add_argument(
        "--monthly-budget", type=money, metavar="50usd", help="needs --price-per-read"
    )
    group.add_argument(
        "--price-per-read", type=money, metavar="0.005usd", help="what the network takes for a post"
    )
    group.add_argument(
        "--max-reads", type=whole_number, metavar="N", help="posts, whatever they cost"
    )


def open_budget(options: argparse.Namespace, name: str) -> Budget:
    """The budget of the options above; `name` is who charges, such as `x`. Raises SourceError."""
    return Budget(open_store(options.state), name, limit_of(options))


def limit_of(options: argparse.Namespace) -> int | None:
    """Reads a month, None where nothing limits them. Raises SourceError."""
    limits = [] if options.max_reads is None else [options.max_reads]
    if options.monthly_budget is not None:
        if not options.price_per_read:
            raise SourceError("--monthly-budget needs --price-per-read, a price above 0")
        reads = options.monthly_budget / options.price_per_read
        limits.append(int(reads.to_integral_value(ROUND_FLOOR)))
    return min(limits, default=None)


class Budget:
    """Counts reads in a store, also where no limit is set."""

    def __init__(
        self,
        store: Store,
        name: str,
        limit: int | None,
        clock: UtcClock = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._name = f"reads-{name}"
        self._limit = limit
        self._clock = clock
        self._warned = ""

    def reserve(self, reads: int, at_least: int = 1) -> ReservedReads:
        """Grants up to `reads` reads, counted from now on; raises BudgetSpent where fewer than
        `at_least` are left, for some requests can't ask for less."""
        month = f"{self._clock():%Y-%m}"

        def granted(used: int) -> int:
            left = reads if self._limit is None else min(reads, self._limit - used)
            if left < at_least:
                raise BudgetSpent(
                    f"{used:,} of {self._limit:,} paid reads of {month} (UTC) are used, a request"
                    f" takes {at_least:,} at least: wait for the next month or raise the limit"
                )
            return left

        used, granted_reads = self._add(month, granted)
        self._warn(month, used)
        return ReservedReads(month, granted_reads)

    def settle(self, grant: ReservedReads, actual: int) -> None:
        """Says how many of them were read, and frees the others."""
        if actual != grant.reads:
            self._add(grant.month, lambda _: actual - grant.reads)

    def used(self) -> int:
        """Reads of this month, those reserved among them."""
        return int(self._store.load(self._name).value.get(f"{self._clock():%Y-%m}", "0"))

    def _add(self, month: str, more: Callable[[int], int]) -> tuple[int, int]:
        """(reads of the month afterwards, those added). Others may count at the same moment."""
        for left in reversed(range(RESERVE_TRIES)):
            kept = self._store.load(self._name)
            used = int(kept.value.get(month, "0"))
            added = more(used)
            value = {**kept.value, month: str(max(0, used + added))}
            try:
                self._store.save(self._name, value, kept.version)
                break
            except Conflict:
                if not left:
                    raise
        return used + added, added

    def _warn(self, month: str, used: int) -> None:
        if self._limit and used >= WARN_AT * self._limit and self._warned != month:
            self._warned = month
            log.warning("%d of %d paid reads of %s (UTC) are used", used, self._limit, month)


def money(text: str) -> Decimal:
    """US dollars: `50usd`, `$50`, `50`."""
    match = _MONEY.fullmatch(text.strip())
    if match is None:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount of US dollars, such as 50usd")
    try:
        return Decimal(match[1])
    except InvalidOperation as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no amount of US dollars") from error


def whole_number(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)
