"""Which files there are to read: names, patterns and folders as a person gives them."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from mltox.posts.reading.errors import InputError
from mltox.posts.reading.sniff import FileKind, sniff

_MAGIC = re.compile(r"[*?\[]")

POST_KINDS = (FileKind.JSON, FileKind.TABLE, FileKind.PARQUET)


class InputFiles(NamedTuple):
    """The files to read, and those that are left out with the reason: `notes.txt: …`."""

    paths: list[Path]
    left_out: list[str]


def find_inputs(inputs: Iterable[str]) -> InputFiles:
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
    return InputFiles(list(found), left_out)


def expand(inputs: Iterable[str]) -> list[Path]:
    """The paths of `find_inputs`."""
    return find_inputs(inputs).paths


def count_hint(paths: Iterable[Path]) -> int:
    """Returns the bytes of the files as they lie on disk: the total for a progress bar."""
    return sum(path.stat().st_size for path in paths)


def _files(name: str) -> tuple[list[Path], bool]:
    """The files of one name, and whether a person named each by itself."""
    if not name.strip():
        raise InputError("an input without a name")
    path = Path(name).expanduser()
    if path.is_dir():
        return _inside(path, path.rglob("*")), False
    if path.exists():
        if not path.is_file():
            raise InputError(f"{name}: no regular file but a pipe, socket or device")
        return [path], True
    # Path.glob takes no absolute pattern
    files = _inside(_fixed_part(path), map(Path, glob.glob(str(path), recursive=True)))  # noqa: PTH207
    if not files:
        raise InputError(f"no such file: {name}")
    return files, False


def _inside(folder: Path, found: Iterable[Path]) -> list[Path]:
    """The files of a folder in order, each once, and none that a link in it leads out to: whoever
    may put a link there shall not choose what is read. Who wants such a file names it itself."""
    root = folder.resolve()
    files: dict[Path, Path] = {}
    for file in sorted(found, key=lambda path: (path.is_symlink(), path)):
        if file.is_file() and (place := file.resolve()).is_relative_to(root):
            files.setdefault(place, file)
    return sorted(files.values())


def _fixed_part(pattern: Path) -> Path:
    """The folder that a pattern begins with."""
    parts = pattern.parts[
        : next((n for n, part in enumerate(pattern.parts) if _MAGIC.search(part)), 0)
    ]
    return Path(*parts)


def _refusal(file: Path) -> str | None:
    try:
        sniffed = sniff(file)
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    if sniffed.kind in POST_KINDS:
        return None
    if sniffed.kind is FileKind.LINES:
        return "plain text, of which a post's time is not known; mltox score reads it"
    return sniffed.refusal
