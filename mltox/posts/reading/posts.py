"""The posts of a file, decoded: what a notebook or a script wants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from mltox.base.clock import now_micros
from mltox.posts.authors import AuthorKeys
from mltox.posts.envelope import Envelope, Reject
from mltox.posts.formats import decode
from mltox.posts.reading.rows import read_rows


def read_posts(
    path: str | Path,
    columns: Mapping[str, str] | None = None,
    *,
    authors: AuthorKeys | None = None,
) -> Iterator[Envelope | Reject]:
    """Yields every post of a file, in order, and a `Reject` with its reason for what is none.

    Reads what `mltox backfill` reads; `columns` maps fields of a post to columns of the file, such
    as `{"text": "tweet"}`. `authors` makes author ids into keys (by default, this installation's).
    Raises InputError, before the first post, for a file that cannot be read or lacks a column.

    >>> import tempfile
    >>> from mltox import AuthorKeys, read_posts
    >>> rows = "id,text,created_at\\n7,Good morning,2026-01-01T08:00:00Z\\n8,,2026-01-01\\n"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "posts.csv")
    ...     _ = path.write_text(rows)
    ...     found = list(read_posts(path, authors=AuthorKeys(b"sixteen bytes or more")))
    >>> found[0].text, found[1].error_type
    ('Good morning', 'empty_text')
    """
    if not isinstance(path, (str, Path)):
        raise TypeError(f"path: one file, not {type(path).__name__}")
    keys = AuthorKeys.from_environment() if authors is None else authors
    now = now_micros()
    for row in read_rows(Path(path), columns):
        yield from decode(row.payload, authors=keys, now=now)
