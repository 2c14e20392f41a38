"""Files on Cloud Storage for code that reads files of this machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from apache_beam.io.filesystem import BeamIOError, CompressionTypes
from apache_beam.io.filesystems import FileSystems

from mltox.base.errors import first_line
from mltox.posts.reading.errors import InputError


@contextmanager
def local_copy(path: str) -> Iterator[Path]:
    """The file, byte for byte and under its own name, for as long as the block lasts.

    `path` is of any kind that Beam reads, such as gs://bucket/posts.jsonl.gz. Raises InputError.
    """
    with TemporaryDirectory(prefix="mltox-file-") as folder:
        copy = Path(folder) / path.rpartition("/")[2]
        try:
            with (
                FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED) as source,
                copy.open("wb") as target,
            ):
                shutil.copyfileobj(source, target, 1 << 20)
        except (OSError, BeamIOError) as error:
            raise InputError(f"cannot read {path}: {first_line(error)}") from error
        yield copy
