"""Every row of the inputs, decoded once, on its way into the spool."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from mltox.base.clock import now_micros
from mltox.base.errors import UsageError
from mltox.base.showing import progress_bar
from mltox.posts.authors import AuthorKeys
from mltox.posts.envelope import DELETION, Envelope, Reject, encode
from mltox.posts.formats import IN_FUTURE, decode
from mltox.posts.formats.own import notice
from mltox.posts.reading.decompress import BytesProgress
from mltox.posts.reading.errors import InputError
from mltox.posts.reading.files import count_hint, find_inputs
from mltox.posts.reading.how import AS_USUAL, How
from mltox.posts.reading.remarks import Remarks
from mltox.posts.reading.rows import read_rows
from mltox.posts.records import Message, Micros
from pipelines.runs.backfill.spool import Spool
from pipelines.runs.backfill.version_index import VersionIndex


@dataclass(frozen=True)
class Selection:
    """Which rows of the inputs are wanted: at most `limit`, and posts of [since, until)."""

    limit: int | None = None
    since: Micros | None = None
    until: Micros | None = None

    def has(self, created_at: Micros) -> bool:
        return (self.since is None or created_at >= self.since) and (
            self.until is None or created_at < self.until
        )


ALL = Selection()


def moment_of(option: str, text: str | None) -> Micros | None:
    """A day or a moment of a person, in UTC where it says nothing else. Raises UsageError."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        meant = "2021-01-31 or 2021-01-31T12:00Z"
        raise UsageError(f"{option}: {text!r} is no time, as {meant} are") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp()) * 1_000_000


@dataclass(frozen=True)
class ReadingOptions:
    """Which files, how they are read, and what of them is wanted."""

    names: Sequence[str]
    columns: Mapping[str, str] | None = None
    how: How = AS_USUAL
    selection: Selection = ALL


@dataclass
class ReadAccount:
    """What came of reading: `counts` (`rows`, `deletions`, `outside`), the reasons of dead letters
    with an example each, remarks, files left out, and the ids of posts that are gone."""

    counts: Counter[str] = field(default_factory=Counter)
    letters: Remarks = field(default_factory=Remarks)
    remarks: Remarks = field(default_factory=Remarks)
    left_out: list[str] = field(default_factory=list)
    deleted: set[str] = field(default_factory=set)

    def posts(
        self, inputs: ReadingOptions, authors: AuthorKeys, *, show: bool = True
    ) -> Iterator[tuple[Envelope | Reject, str]]:
        """Yields each post that is wanted, and each row that is none, with where it is from.

        Raises InputError.
        """
        found = find_inputs(inputs.names)
        self.left_out = found.left_out
        now = now_micros()
        with progress_bar(count_hint(found.paths), "reading", "B", shown=show) as advance:
            for path in found.paths:
                rows = self._of_file(path, inputs, authors, now, advance)
                if len(found.paths) > 1:
                    rows = _or_a_letter(path, rows)
                for item, origin in rows:
                    self.counts["rows"] += 1
                    place = f"{path}{origin.removeprefix(path.resolve().as_posix())}"
                    if self._is_wanted(item, place, inputs.selection):
                        yield item, origin
                    if self.counts["rows"] == inputs.selection.limit:
                        return

    def _of_file(
        self,
        path: Path,
        inputs: ReadingOptions,
        authors: AuthorKeys,
        now: Micros,
        advance: BytesProgress,
    ) -> Iterator[tuple[Envelope | Reject, str]]:
        # the whole path: two folders may have a file of one name each
        name = path.resolve().as_posix()
        rows = read_rows(
            path,
            inputs.columns,
            advance,
            how=inputs.how,
            remarks=self.remarks,
            name=name,
        )
        for row in rows:
            for index, item in enumerate(decode(row.payload, authors=authors, now=now)):
                origin = f"{row.origin}#{index}" if index else row.origin
                yield item, origin

    def _is_wanted(self, item: Envelope | Reject, place: str, selection: Selection) -> bool:
        if isinstance(item, Envelope):
            if selection.has(item.created_at):
                return True
            self.counts["outside"] += 1
            return False
        if item.error_type == DELETION and item.post_id is not None:
            self.counts["deletions"] += 1
            self.deleted.add(item.post_id)
            return False
        self.letters.note(item.error_type, f"{place}: {item.message}")
        return True


def _or_a_letter(
    path: Path, rows: Iterator[tuple[Envelope | Reject, str]]
) -> Iterator[tuple[Envelope | Reject, str]]:
    """One file of many that cannot be read does not keep the others from being read."""
    try:
        yield from rows
    except InputError as error:
        said = str(error).replace(str(path), path.name)
        yield Reject("unreadable_file", said, "", None), f"{path.resolve().as_posix()}:0"


def spool_rows(
    inputs: ReadingOptions,
    authors: AuthorKeys,
    spool: Spool,
    index: VersionIndex,
    *,
    show: bool = True,
) -> ReadAccount:
    """Lays every wanted row into the spool by its event time.

    Authors are already pseudonyms there: the spool holds no raw author id. Raises InputError.
    """
    intake = ReadAccount()
    for item, origin in intake.posts(inputs, authors, show=show):
        if isinstance(item, Envelope):
            index.add(item)
            spool.write(Message(encode(item), origin), item.created_at)
        elif item.error_type == IN_FUTURE:
            # whole, to be found too early once more: a notice's payload would be masked
            spool.write(Message(item.payload.encode(), origin), None)
        else:
            spool.write(Message(notice(*item), origin), None)
    spool.close()
    return intake
