"""The commands that the documentation tells a person to type."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [ROOT / "README.md", ROOT / "dashboards" / "README.md", *(ROOT / "docs").glob("*.md")]
)
PROGRAMS = ("mltox", "make")
_FENCE = re.compile(r"^ *```[^\n]*\n(.*?)^ *```", re.M | re.S)
_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


class Command(NamedTuple):
    page: str
    words: tuple[str, ...]

    @property
    def options(self) -> list[str]:
        return [word.partition("=")[0] for word in self.words if re.match(r"--\w", word)]


def commands_of(text: str, page: str) -> Iterator[Command]:
    """Lines of fenced blocks that start with a program of ours, and such spans of code."""
    blocks = [block.replace("\\\n", " ") for block in _FENCE.findall(text)]
    spans = _SPAN.findall(_FENCE.sub("", text))
    for line in (*(line for block in blocks for line in block.splitlines()), *spans):
        words = shlex.split(line, comments=True) if line.strip().startswith(PROGRAMS) else []
        if words and words[0] in PROGRAMS:
            yield Command(page, tuple(words))


def all_commands() -> list[Command]:
    found = (
        command
        for path in PAGES
        for command in commands_of(path.read_text("utf-8"), str(path.relative_to(ROOT)))
    )
    return list(dict.fromkeys(found))
