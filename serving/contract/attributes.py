"""Perspective's attributes and the model's labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from mltox.scoring.scale.attributes import ATTRIBUTES
from serving.contract.errors import unknown_attribute

MIN_VERSION = 8
"""Hexadecimal digits of a bundle's hash that pin it."""


class AttributeVersion(NamedTuple):
    """What decides a score: the bundle, and the scale that its probability is given on."""

    bundle: str
    """SHA-256 (hex)."""
    scale: str
    """`model`, or the first digits of a score map's hash."""

    def __str__(self) -> str:
        return f"{self.bundle[:12]}-{self.scale}"


class Attribute(NamedTuple):
    """An attribute that can be scored: as the client wrote it, and whose score it is."""

    asked: str
    name: str
    label: str


class Attributes:
    """The attributes that a bundle's labels answer, and the version of each.

    `versions` has the version of each attribute's score; see `find` for how it is pinned.
    """

    def __init__(self, labels: Sequence[str], versions: Mapping[str, AttributeVersion]) -> None:
        self.names = tuple(name for name, label in ATTRIBUTES.items() if label in labels)
        self._versions = versions

    def version(self, name: str) -> AttributeVersion:
        return self._versions[name]

    def find(self, asked: str) -> Attribute | None:
        """The attribute that is asked for; None where the model has none of that name.

        `TOXICITY@9bf907be524f` is answered by the bundle whose SHA-256 begins so and by no other,
        `TOXICITY@9bf907be524f-1a2b3c4d` on one scale only. Raises Refusal for another version: a
        study must not go on with other scores than those that it pinned.
        """
        name, at, version = asked.partition("@")
        if name not in self.names:
            return None
        if at and not self._is(name, version.lower()):
            raise unknown_attribute(asked)
        return Attribute(asked, name, ATTRIBUTES[name])

    def _is(self, name: str, version: str) -> bool:
        served = self._versions[name]
        bundle, dash, scale = version.partition("-")
        if len(bundle) < MIN_VERSION or not served.bundle.startswith(bundle):
            return False
        return not dash or scale == served.scale
