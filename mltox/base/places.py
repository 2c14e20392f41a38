"""Files of this machine and of the stores that a cluster shares, by one address.

`folder/file` and `file:///folder/file` are of this machine; `gs://`, `s3://`, `hdfs://` and
`abfss://` are what pyarrow reads, each with the credentials that its store usually takes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mltox.base.errors import UserError, first_line

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

_SCHEME = "://"


class PlaceError(UserError, OSError):
    """A place that can't be reached, in one line."""


def is_remote(address: str) -> bool:
    """Whether the address names a store, and not a path of this machine."""
    return _SCHEME in address and not address.startswith("file://")


def filesystem_of(address: str) -> tuple[FileSystem, str]:
    """The filesystem of an address, and the path there. Raises PlaceError."""
    from pyarrow import ArrowException  # the server's image goes without
    from pyarrow.fs import FileSystem, LocalFileSystem

    if _SCHEME not in address:
        return LocalFileSystem(), Path(address).expanduser().absolute().as_posix()
    try:
        filesystem, path = FileSystem.from_uri(address)
    except (ArrowException, OSError, ValueError) as error:
        raise PlaceError(f"{address}: {first_line(error)}") from error
    return filesystem, path


def read_bounded(address: str, most: int) -> bytes:
    """What the file holds, of more than `most` bytes one byte more than those. Raises
    PlaceError."""
    from pyarrow import ArrowException

    filesystem, path = filesystem_of(address)
    try:
        with filesystem.open_input_stream(path, compression=None) as stream:
            return bytes(stream.read(most + 1))
    except (ArrowException, OSError) as error:
        raise PlaceError(f"{address}: {first_line(error)}") from error
