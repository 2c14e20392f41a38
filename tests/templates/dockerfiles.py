"""Reads Dockerfiles: the instructions of the last stage decide what runs, all stages what is
built."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parents[2] / "templates"
FILES = sorted(path for path in FOLDER.iterdir() if path.name.endswith("Dockerfile"))


class Instruction(NamedTuple):
    """`RUN pip check` is ("RUN", "pip check"); continued lines are joined by a blank."""

    name: str
    value: str


def instructions(text: str) -> list[Instruction]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\s*\\\n\s*", " ", "\n".join(lines))
    split = [line.strip().partition(" ") for line in joined.splitlines() if line.strip()]
    return [Instruction(name.upper(), value.strip()) for name, _, value in split]


def values(text: str, name: str) -> list[str]:
    return [each.value for each in instructions(text) if each.name == name]


def images(text: str) -> Iterator[str]:
    """Every image that is built upon or copied from; names of earlier stages are none."""
    stages: set[str] = set()
    for name, value in instructions(text):
        words = value.split()
        if name == "FROM":
            image = next(word for word in words if not word.startswith("--"))
            if image not in stages:
                yield image
            if len(words) > 2 and words[-2].upper() == "AS":
                stages.add(words[-1])
        if name == "COPY":
            sources = [word for word in words if word.startswith("--from=")]
            yield from (image for word in sources if (image := word[7:]) not in stages)
