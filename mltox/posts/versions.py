"""Versions of a post: the same id with another text or another time.

The rule. A post is one post whatever its hour. Of versions that come in one run the latest stays
(by its time, then by its text's hash), and a later run's version takes the place of an earlier
run's. An id of a network is an id. Of posts of no known network (`file`) it may be the number of a
row: there, two rows with one id that differ in their text and in their time are two posts, and each
but the earliest gets an id with a hash of its own behind.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from enum import Enum
from typing import NamedTuple

from mltox.posts.networks import DEFAULT_SOURCE
from mltox.posts.records import Micros


class PostVersion(NamedTuple):
    """What tells two versions of a post apart; `text` is the text's SHA-256, or its start."""

    created_at: Micros
    text: str


class VersionVerdict(Enum):
    """What becomes of a version: it stays, another one has its place, or it is another post."""

    KEPT = "kept"
    SUPERSEDED = "superseded"
    APART = "apart"


def has_sound_id(post_id: str) -> bool:
    """Whether a network gave the id."""
    return not post_id.startswith(f"{DEFAULT_SOURCE}:")


def settle(
    versions: Iterable[PostVersion], *, sound_id: bool, stored: Collection[PostVersion] = ()
) -> dict[PostVersion, VersionVerdict]:
    """What becomes of each version of one id, the same in any order.

    `stored` are those that an earlier run has kept under the id: they keep it, and where they are
    among `versions` they stay.

    >>> a, b = PostVersion(1, "a"), PostVersion(2, "b")
    >>> settle([b, a], sound_id=True)[a], settle([b, a], sound_id=False)[b]
    (<VersionVerdict.SUPERSEDED: 'superseded'>, <VersionVerdict.APART: 'apart'>)
    """
    fresh = sorted(set(versions))
    held = set(stored)
    groups = [sorted({*fresh, *held})] if sound_id else _alike(sorted({*fresh, *held}))
    groups.sort(key=lambda group: (held.isdisjoint(group), group[0]))
    found: dict[PostVersion, VersionVerdict] = {}
    for number, group in enumerate(groups):
        new = [version for version in group if version in fresh]
        for version in new:
            found[version] = VersionVerdict.SUPERSEDED
        if new:
            found[new[-1]] = VersionVerdict.APART if number else VersionVerdict.KEPT
    return found


def _alike(versions: list[PostVersion]) -> list[list[PostVersion]]:
    """Groups of versions that share a text or a time, if through others."""
    groups: list[list[PostVersion]] = []
    for version in versions:
        same = [
            group
            for group in groups
            if any(v.text == version.text or v.created_at == version.created_at for v in group)
        ]
        groups = [group for group in groups if group not in same]
        groups.append(sorted([version, *(v for group in same for v in group)]))
    return groups


def id_apart(post_id: str, version: PostVersion) -> str:
    """The id of a post that shares its own with another.

    >>> id_apart("file:1", PostVersion(0, "ab"))
    'file:1~a4cc524a'
    """
    told = f"{version.created_at}\0{version.text[:16]}"
    return f"{post_id}~{hashlib.sha256(told.encode()).hexdigest()[:8]}"
