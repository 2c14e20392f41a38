"""What became of a resource."""

from __future__ import annotations

from enum import StrEnum


class Change(StrEnum):
    MADE = "made"
    CHANGED = "changed"
    THERE = "there"
    REMOVED = "removed"
    ABSENT = "not there"
    KEPT = "kept"
