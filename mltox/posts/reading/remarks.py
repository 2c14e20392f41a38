"""What a reader noticed about a file and a person should know, counted, with one example each."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Remark:
    """How often something was noticed, and where it was first: `posts.csv:12: …`."""

    count: int
    example: str


@dataclass
class Remarks:
    """Counts by kind, in the order in which the kinds came.

    >>> remarks = Remarks()
    >>> remarks.note("rounded ids", "posts.csv:2: 1.82E+18")
    >>> remarks.note("rounded ids", "posts.csv:3: 1.82E+18")
    >>> print(*remarks.lines(), sep=chr(10))
    2 rounded ids (first: posts.csv:2: 1.82E+18)
    """

    found: dict[str, Remark] = field(default_factory=dict)

    def note(self, kind: str, example: str, count: int = 1) -> None:
        """`kind` is a phrase that may follow a number."""
        remark = self.found.setdefault(kind, Remark(0, example))
        remark.count += count

    def merge(self, other: Remarks) -> None:
        for kind, remark in other.found.items():
            self.note(kind, remark.example, remark.count)

    def lines(self) -> list[str]:
        """A line each, for the terminal."""
        return [f"{r.count:,} {kind} (first: {r.example})" for kind, r in self.found.items()]
