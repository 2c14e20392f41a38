"""A disk that is soon full: a small file system of its own or, where none may be mounted, a bound
on the size of the files that the process may write."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOMY = 500 * 2**20


def mount(folder: Path, *options: str) -> bool:
    command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@dataclass
class Disk:
    folder: Path
    size: int
    mounted: bool

    def fill(self, pid: int) -> None:
        """Bounds what the process may write, where the disk itself is not small."""
        if not self.mounted:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (self.size, resource.RLIM_INFINITY))

    def make_room(self, pid: int) -> None:
        if self.mounted:
            assert mount(self.folder, "remount", f"size={ROOMY}")
        else:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (ROOMY, resource.RLIM_INFINITY))


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Disk]:
    """`size` in bytes."""
    folder.mkdir()
    mounted = mount(folder, f"size={size}")
    try:
        yield Disk(folder, size, mounted)
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
