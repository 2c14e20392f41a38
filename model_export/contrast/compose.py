"""Contrast cases of our own writing: pairs that share their words and differ in what is meant.

A classifier trained on moderated comments learns words, not meaning: it flags "I am gay", and
passes "they do not belong among decent people". The templates in the YAML files beside this module
are composed with groups, persons and things in the manner of functional tests (Röttger et al. 2021,
HateCheck; Gardner et al. 2020, contrast sets). Nothing in them is copied from a published test.
"""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import yaml

from model_export.examples import TRAINED_LABELS, UNKNOWN, LabelledText

FILLERS = "fillers.yaml"
_SLOT = re.compile(r"\{(\w+)\}")
_START = ("", "", "", "", "", "", "Honestly, ", "Look, ", "Well, ", "lol ", "@user ", "Hey, ",
          "Sorry but ",
          "I mean, ", "So ", "Just saying: ", "As always: ", "@user @user ")  # fmt: skip
_END = ("", "", "", "", "", "", ".", "!", "!!", " http", " ...", " lol", " smh", " @user",
        " #facts", " 😂", ", don't you think?")  # fmt: skip


class ContrastKind(NamedTuple):
    """A functionality: what it tests, the labels that are known of it, its templates."""

    name: str
    labels: Mapping[str, float]
    templates: tuple[str, ...]


@cache
def read_kinds() -> tuple[ContrastKind, ...]:
    """All kinds of the YAML files, in the order of the files' names."""
    kinds = []
    for file in sorted(files(__package__).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".yaml") and file.name != FILLERS:
            kinds += [
                ContrastKind(entry["kind"], entry["labels"], tuple(entry["templates"]))
                for entry in yaml.safe_load(file.read_text(encoding="utf-8"))
            ]
    return tuple(kinds)


@cache
def read_fillers() -> Mapping[str, tuple[str, ...]]:
    document = yaml.safe_load((files(__package__) / FILLERS).read_text(encoding="utf-8"))
    return {slot: tuple(values) for slot, values in document.items()}


def is_held_out(template: str) -> bool:
    """Whether a template, one in ten, is kept out of training."""
    return zlib.crc32(template.encode()) % 10 == 0


def compose(count: int, seed: int, *, held_out: bool = False) -> list[tuple[str, LabelledText]]:
    """About `count` distinct cases as (kind, example), spread evenly over the templates.

    Held-out cases carry no decoration before or after the template, training cases may.
    """
    generator = random.Random(seed)
    chosen = [
        (kind, template)
        for kind in read_kinds()
        for template in kind.templates
        if is_held_out(template) == held_out
    ]
    generator.shuffle(chosen)
    cases: dict[str, tuple[str, LabelledText]] = {}
    for _ in range(-(-count // len(chosen))):
        for kind, template in chosen:
            text = _fill(template, generator)
            if not held_out:
                text = generator.choice(_START) + text + generator.choice(_END)
            labels = tuple(kind.labels.get(label, UNKNOWN) for label in TRAINED_LABELS)
            cases[text] = (kind.name, LabelledText(text, labels, "contrast"))
    return list(cases.values())[:count]


def _fill(template: str, generator: random.Random) -> str:
    fillers = read_fillers()
    text = _SLOT.sub(lambda match: generator.choice(fillers[match.group(1)]), template)
    text = re.sub(r"\b([Aa]) (?=[AEIOaeio])", r"\1n ", text)
    text = re.sub(r"\b([Aa])n (?=[^AEIOUaeiou\W])", r"\1 ", text)
    draw = generator.random()
    return text if draw < 0.55 else text[0].upper() + text[1:] if draw < 0.95 else text.upper()
