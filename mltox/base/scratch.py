"""Folders for what a run lays aside, of which none outlives its run for long.

A run that ends takes its folder along. One that is killed can't: the next run removes it, whoever
holds the lock of a folder being at work still.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "mltox-scratch-"
_LOCK = "lock"

_at_work: set[Path] = set()


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder that only its owner may read; left-over ones of runs that were killed go first."""
    parent = Path(tempfile.gettempdir())
    remove_left_over(parent)
    with _locked(parent) as folder:
        _at_work.add(folder)
        try:
            yield folder
        finally:
            _at_work.discard(folder)
            shutil.rmtree(folder, ignore_errors=True)


def remove_all() -> None:
    """For a process that ends without unwinding."""
    for folder in _at_work.copy():
        shutil.rmtree(folder, ignore_errors=True)


def remove_left_over(parent: Path) -> None:
    """Removes our own folders that no process holds."""
    for folder in parent.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            found = folder.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid():
                with (folder / _LOCK).open("rb") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(parent: Path) -> Iterator[Path]:
    # It gets its name when the lock is held, for whoever sees it may try the lock.
    made = Path(tempfile.mkdtemp(prefix="mltox-new-", dir=parent))
    with (made / _LOCK).open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder = made.with_name(PREFIX + made.name.removeprefix("mltox-new-"))
        made.rename(folder)
        yield folder
