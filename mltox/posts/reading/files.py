"""Which files there are to read: names, patterns and folders as a person gives them."""

from __future__ import annotations

import glob
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from mltox.posts.reading.errors import InputError
from mltox.posts.reading.sniff import Kind, sniff

POST_KINDS = (Kind.JSON, Kind.TABLE, Kind.PARQUET)


class Inputs(NamedTuple):
    """The files to read, and those that are left out with the reason: `notes.txt: …`."""

    paths: list[Path]
    left_out: list[str]


def find_inputs(inputs: Iterable[str]) -> Inputs:
    """Finds the files that names, glob patterns and folders stand for, each once.

    A folder stands for the files in it, at any depth, that hold posts; what else is in it, or fits
    a pattern, is left out and named. Raises InputError where a file is not there, is named by
    itself and cannot be read, or where nothing is left.
    """
    found: dict[Path, None] = {}
    left_out: list[str] = []
    for name in inputs:
        files, meant = _files(name)
        before = len(found), len(left_out)
        for file in files:
            reason = _refusal(file)
            if reason is None:
                found[file] = None
            elif meant:
                raise InputError(f"{file}: {reason}")
            else:
                left_out.append(f"{file}: {reason}")
        if len(left_out) - before[1] == len(files):
            more = f" ({left_out[-1]})" if files else ""
            where = "in the folder" if Path(name).expanduser().is_dir() else "among"
            raise InputError(f"no file of posts {where} {name}{more}")
    return Inputs(list(found), left_out)


def expand(inputs: Iterable[str]) -> list[Path]:
    """The paths of `find_inputs`."""
    return find_inputs(inputs).paths


def count_hint(paths: Iterable[Path]) -> int:
    """Returns the bytes of the files as they lie on disk: the total for a progress bar."""
    return sum(path.stat().st_size for path in paths)


def _files(name: str) -> tuple[list[Path], bool]:
    """The files of one name, and whether a person named each by itself."""
    path = Path(name).expanduser()
    if path.is_dir():
        return sorted(p for p in path.rglob("*") if p.is_file()), False
    if path.exists():
        return [path], True
    # Path.glob takes no absolute pattern
    files = sorted(Path(p) for p in glob.glob(str(path), recursive=True))  # noqa: PTH207
    files = [p for p in files if p.is_file()]
    if not files:
        raise InputError(f"no such file: {name}")
    return files, False


def _refusal(file: Path) -> str | None:
    try:
        sniffed = sniff(file)
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    if sniffed.kind in POST_KINDS:
        return None
    if sniffed.kind is Kind.LINES:
        return "plain text, of which a post's time is not known; mltox score reads it"
    return sniffed.refusal
