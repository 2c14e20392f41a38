"""Small files read whole, where what lies under their name may be somebody's trap."""

from __future__ import annotations

import os
import stat
from pathlib import Path


class NotRegular(OSError):
    """Under the name lies no regular file, or one that is too large; `strerror` says which."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(None, reason, str(path))


def read_regular(path: Path, most: int, *, follow: bool = True) -> bytes:
    """The content of a regular file of at most `most` bytes.

    A FIFO, a device or a socket is refused at once, where `Path.read_bytes` would wait for a writer
    or never end; so is a link where `follow` is false. Raises OSError, of which NotRegular is one.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    if not follow and path.is_symlink():
        raise NotRegular(path, "it is a link")
    descriptor = os.open(path, flags | (0 if follow else getattr(os, "O_NOFOLLOW", 0)))
    # Not until it is known to be a file: what else it is, Python says in words of its own.
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        raise NotRegular(path, f"it is {'a folder' if stat.S_ISDIR(mode) else 'no regular file'}")
    with os.fdopen(descriptor, "rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise NotRegular(path, f"it has more than {most:,} bytes")
    return content
