"""Labelled posts: reading them, and splitting them so that validation is honest."""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from mltox.base.errors import UserError
from mltox.posts.reading.raw_rows import read_raw_rows
from model_export.examples import TRAINED_LABELS, UNKNOWN, LabelledText
from model_export.readers import SETS, read_set

VALIDATION_SHARE = 0.06
"""Of the labelled texts, kept out of training: for calibration, thresholds and the evaluation."""

_ALIASES = {
    "toxic": "toxicity",
    "severe_toxic": "severe_toxicity",
    "identity_hate": "identity_attack",
}
JIGSAW = "jigsaw_train.csv.gz"


class DataError(UserError):
    """A labelled file cannot be used; the message is one line for a person."""


def read_table(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a table with a header, plain or packed; a cell that is not there is empty."""
    for row in read_raw_rows(path):
        yield {name: "" if cell is None else str(cell) for name, cell in row.items()}


def read_labelled(path: Path) -> list[LabelledText]:
    """A CSV with a `text` column and one column a label (Jigsaw's names are understood).

    A label that has no column, an empty cell and -1 are unknown.
    """
    examples = []
    for number, row in enumerate(read_table(path), start=2):
        named = {_ALIASES.get(key, key): value for key, value in row.items()}
        if "text" not in named or not set(TRAINED_LABELS) & set(named):
            raise DataError(
                f"{path} needs a column `text` and at least one of {', '.join(TRAINED_LABELS)};"
                f" it has {', '.join(row)}"
            )
        try:
            labels = tuple(float(named.get(label) or UNKNOWN) for label in TRAINED_LABELS)
        except ValueError as error:
            raise DataError(f"{path}, line {number}: a label is no number ({error})") from None
        examples.append(LabelledText(named["text"], labels, path.name))
    if not examples:
        raise DataError(f"{path} has no rows")
    return examples


def read_training_data(path: Path) -> list[LabelledText]:
    """What may be trained on under `path`: a labelled CSV, or a folder with the known sets.

    Of a folder, Jigsaw (CC0 labels, CC BY-SA text) and the sets of `readers` are read where they
    are present; sets under GPL, NC or no licence never are.
    """
    if path.is_file():
        return read_labelled(path)
    examples: list[LabelledText] = []
    if (path / JIGSAW).exists():
        examples += [example._replace(source="jigsaw") for example in read_labelled(path / JIGSAW)]
    for name, known in SETS.items():
        if (path / known.file).exists():
            examples += read_set(name, read_table(path / known.file))
    if not examples:
        known_files = ", ".join([JIGSAW, *(known.file for known in SETS.values())])
        raise DataError(f"{path} holds none of {known_files}")
    return examples


def split_validation(
    examples: Sequence[LabelledText], share: float
) -> tuple[list[LabelledText], list[LabelledText]]:
    """(training, validation), `share` of the texts in the latter, near-duplicates kept together.

    Which side a group of near-duplicates falls on depends on the hash of its least key alone, so
    that adding rows does not reshuffle the split.
    """
    groups = near_duplicate_groups([example.text for example in examples])
    parts: tuple[list[LabelledText], list[LabelledText]] = ([], [])
    for example, group in zip(examples, groups, strict=True):
        digest = hashlib.sha256(group.encode()).digest()
        parts[int.from_bytes(digest[:4]) < share * 2**32].append(example)
    return parts


def near_duplicate_groups(texts: Sequence[str]) -> list[str]:
    """A group name for each text. Texts share one if they share their first or last eight words
    or their least-hashed run of five words (a one-permutation MinHash; Broder 1997), transitively.
    """
    parent: dict[str, str] = {}

    def find(key: str) -> str:
        root = key
        while parent[root] != root:
            root = parent[root]
        while parent[key] != root:
            parent[key], key = root, parent[key]
        return root

    firsts = []
    for text in texts:
        keys = list(_near_duplicate_keys(text))
        for key in keys:
            parent.setdefault(key, key)
        roots = sorted({find(key) for key in keys})
        for root in roots[1:]:
            parent[root] = roots[0]
        firsts.append(keys[0])
    return [find(key) for key in firsts]


def _near_duplicate_keys(text: str) -> Iterable[str]:
    words = re.findall(r"[^\W_]+", text.casefold())
    if len(words) < 8:
        return [" ".join(words)]
    runs = (" ".join(words[i : i + 5]) for i in range(len(words) - 4))
    least = min(runs, key=lambda run: (zlib.crc32(run.encode()), run))
    return [f"head {' '.join(words[:8])}", f"tail {' '.join(words[-8:])}", f"min {least}"]
