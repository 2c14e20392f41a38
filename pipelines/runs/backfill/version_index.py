"""Which posts of a run come in several versions, found on disk: memory is that of one part."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import numpy as np

from mltox.posts.envelope import Envelope
from mltox.posts.versions import PostVersion, VersionVerdict, has_sound_id, settle

INDEX_PARTS = 64
RECORD = struct.Struct("<QQqB")
DTYPE = np.dtype([("id", "<u8"), ("text", "<u8"), ("created_at", "<i8"), ("sound", "u1")])

VersionVerdicts = Mapping[int, Mapping[PostVersion, VersionVerdict]]
"""By `id_hash`, of posts with more than one version, those that do not stay as they are."""


def id_hash(post_id: str) -> int:
    return int.from_bytes(hashlib.blake2b(post_id.encode(), digest_size=8).digest(), "little")


def version_of(text: str, created_at: int) -> PostVersion:
    return PostVersion(created_at, hashlib.sha256(text.encode()).hexdigest()[:16])


class VersionIndex:
    """25 bytes a post, in `INDEX_PARTS` files of a folder by the hash of the post's id."""

    def __init__(self, folder: Path) -> None:
        self._paths = [folder / f"versions-{part}" for part in range(INDEX_PARTS)]
        self._files: list[BinaryIO] = [path.open("wb") for path in self._paths]

    def add(self, post: Envelope) -> None:
        found, version = id_hash(post.post_id), version_of(post.text, post.created_at)
        record = RECORD.pack(
            found, int(version.text, 16), version.created_at, has_sound_id(post.post_id)
        )
        self._files[found % INDEX_PARTS].write(record)

    def verdicts(self) -> VersionVerdicts:
        """Closes the index and looks through it."""
        made: dict[int, dict[PostVersion, VersionVerdict]] = {}
        for file, path in zip(self._files, self._paths, strict=True):
            file.close()
            made.update(_of_part(path))
            path.unlink()
        return made


def _of_part(path: Path) -> dict[int, dict[PostVersion, VersionVerdict]]:
    rows = np.unique(np.fromfile(path, DTYPE))
    ids, first, counts = np.unique(rows["id"], return_index=True, return_counts=True)
    found: dict[int, dict[PostVersion, VersionVerdict]] = {}
    for at in np.flatnonzero(counts > 1):
        several = rows[first[at] : first[at] + counts[at]]
        versions = [
            PostVersion(int(row["created_at"]), f"{int(row['text']):016x}") for row in several
        ]
        verdicts = settle(versions, sound_id=bool(several[0]["sound"]))
        found[int(ids[at])] = {
            v: each for v, each in verdicts.items() if each != VersionVerdict.KEPT
        }
    return found
