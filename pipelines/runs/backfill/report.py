"""What a backfill did, as a person reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mltox.posts.reading.remarks import Remarks

SHOWN = (
    ("rows read", "rows_read"),
    ("+ further topics", "topic_copies"),
    ("= posts kept", "posts_kept"),
    ("+ duplicates", "duplicates"),
    ("+ of no topic", "rows_no_topic"),
    ("+ dead letters", "dead_letters"),
)
SHOWN_WHERE_ANY = (
    ("+ other versions", "superseded"),
    ("+ deletions", "deletions"),
    ("+ outside the time", "outside"),
)
ACCOUNT_PARTS = (
    "posts_kept",
    "duplicates",
    "rows_no_topic",
    "dead_letters",
    "superseded",
    "deletions",
    "outside",
)


class ConservationError(AssertionError):
    """Rows were lost or made up. This is a defect of mltox, never of the input."""


@dataclass(frozen=True)
class Report:
    """What a backfill did, by the counters of the pipeline and of what was left out before it.

    `letters` are the reasons of the dead letters that were found in reading, `left_out` the files
    that were not read, `remarks` what else a person should know. Units: rows and posts.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    letters: Remarks = field(default_factory=Remarks)
    remarks: Remarks = field(default_factory=Remarks)
    left_out: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> int:
        return self.counts.get(name, 0)

    def text(self) -> str:
        """The balance of rows, then what of it needs a look."""
        lines = [*SHOWN, *((said, name) for said, name in SHOWN_WHERE_ANY if self[name])]
        shown = [f"  {said:<18}{self[name]:>12,}" for said, name in lines]
        return "\n".join([*shown, *self._told()])

    def _told(self) -> list[str]:
        notes = [*self.remarks.lines(), *self._of_versions()]
        return told_of(self.letters, notes, self.left_out)

    def _of_versions(self) -> list[str]:
        told = {
            "superseded": "rows are other versions (another text or time) of a post that stays in"
            " its latest one",
            "other_versions": "duplicates have another text or time than the post that stays",
            "apart": "rows share an id with a post of another text and time: kept, with an id"
            " of their own",
            "moved": "posts have another time than the warehouse had: the hours they left are"
            " rolled up again",
        }
        return [f"{self[name]:,} {said}" for name, said in told.items() if self[name]]

    def check_conservation(self, spooled: int) -> None:
        """Every row read is a post, a duplicate, another version of one, of no topic, a dead
        letter, a deletion, or out of the time that was asked for.

        A row that matches several topics is a post in each: these copies are counted as well.
        `spooled` rows were to be read. Raises ConservationError.
        """
        read = self["rows_read"] + self["topic_copies"]
        parts = {name: self[name] for name in ACCOUNT_PARTS}
        if self["rows_read"] != spooled or read != sum(parts.values()):
            raise ConservationError(
                f"{spooled} rows spooled, {self['rows_read']} read + {self['topic_copies']} copies "
                f"for further topics, but {parts}"
            )


def told_of(letters: Remarks, notes: Sequence[str], left_out: Sequence[str]) -> list[str]:
    """Lines on what a person should look at."""
    told = []
    if letters.found:
        told.append("dead letters (the table dead_letters has them all):")
        told += [f"  {line}" for line in letters.lines()]
    if notes:
        told += ["to know:", *(f"  {line}" for line in notes)]
    if left_out:
        told += [f"files left out: {len(left_out)}", *(f"  {file}" for file in left_out)]
    return told
