"""Scores of earlier runs, as the workers of a run ask for them."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from mltox.posts.records import Scores
from mltox.warehouse import open_warehouse
from mltox.warehouse.known_scores import scores_from, scores_of_texts

PREFIX_DIGITS = 2
MOST_ROWS = 200_000
"""Known scores that a worker keeps, about 80 MB."""


class Known(Protocol):
    """Can be pickled."""

    def of(self, model_sha256: str, hashes: Collection[str]) -> Mapping[str, Scores]:
        """By the SHA-256 of their texts, those of `hashes` that the model has scored before. Raises
        WarehouseError."""
        ...


@dataclass(frozen=True)
class KnownHere:
    """Asks about the texts by name: for the one process of a local run."""

    uri: str

    def of(self, model_sha256: str, hashes: Collection[str]) -> Mapping[str, Scores]:
        with open_warehouse(self.uri) as warehouse:
            return scores_of_texts(warehouse, model_sha256, hashes)


@dataclass
class KnownAnywhere:
    """Reads whole ranges of hashes: for many workers, to which texts come in such ranges.

    A range is one two-hundred-and-fifty-sixth of the table. It is kept while there is room, so that
    a small table is read once a worker, and a large one about once in all.
    """

    uri: str
    _ranges: OrderedDict[tuple[str, str], dict[str, Scores]] = field(default_factory=OrderedDict)

    def __getstate__(self) -> dict[str, object]:
        return {"uri": self.uri, "_ranges": OrderedDict()}

    def of(self, model_sha256: str, hashes: Collection[str]) -> Mapping[str, Scores]:
        asked: dict[str, list[str]] = defaultdict(list)
        for each in hashes:
            asked[each[:PREFIX_DIGITS]].append(each)
        found: dict[str, Scores] = {}
        for prefix, wanted in sorted(asked.items()):
            known = self._range(model_sha256, prefix)
            found.update((each, known[each]) for each in wanted if each in known)
        return found

    def _range(self, model_sha256: str, prefix: str) -> dict[str, Scores]:
        key = model_sha256, prefix
        if key not in self._ranges:
            with open_warehouse(self.uri) as warehouse:
                self._ranges[key] = scores_from(warehouse, model_sha256, prefix)
            while len(self._ranges) > 1 and sum(map(len, self._ranges.values())) > MOST_ROWS:
                self._ranges.popitem(last=False)
        self._ranges.move_to_end(key)
        return self._ranges[key]
