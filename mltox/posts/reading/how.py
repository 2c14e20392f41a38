"""What a person says about how files are to be read."""

from __future__ import annotations

from dataclasses import dataclass

from mltox.posts.formats.stamps import Times


@dataclass(frozen=True)
class How:
    """`source` is the network that all posts of the files are of, `delimiter` that of tables,
    `times` how times are written. What is None is found out, or is as usual."""

    source: str | None = None
    delimiter: str | None = None
    times: Times | None = None


AS_USUAL = How()
