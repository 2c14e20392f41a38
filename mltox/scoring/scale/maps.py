"""A monotone map from a model's probability to another service's score, and the file that holds it.

The file `perspective.json` lies beside a bundle's other files. It names the bundle by its hash: a
map is true for one model only.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from mltox.scoring.bundle import BundleError

FILE = "perspective.json"
MAPS_FORMAT = 1
DIGITS = 6
MODEL_SCALE = "model"
"""What the model's own probability is called beside the versions of maps."""


class ScaleError(BundleError):
    """A map cannot be used; the message is one line for a person."""


class ScoreMap(NamedTuple):
    """Straight lines between knots.

    >>> half = ScoreMap("TOXICITY", "toxicity", ((0.0, 0.0), (1.0, 0.5)))
    >>> half(0.5)
    0.25
    """

    attribute: str
    label: str
    knots: tuple[tuple[float, float], ...]
    """(probability, score): probabilities rise from 0 to 1, scores never fall."""

    def __call__(self, probability: float) -> float:
        """In [0, 1], rounded to 1e-6 as the probabilities are."""
        right = bisect_right(self.knots, (probability, 2.0))
        if right == 0:
            return self.knots[0][1]
        if right == len(self.knots):
            return self.knots[-1][1]
        (x0, y0), (x1, y1) = self.knots[right - 1], self.knots[right]
        return round(y0 + (y1 - y0) * (probability - x0) / (x1 - x0), DIGITS)

    @property
    def version(self) -> str:
        """Eight hexadecimal digits that follow from the knots."""
        return hashlib.sha256(json.dumps(self.knots).encode()).hexdigest()[:8]


class ScoreMaps(NamedTuple):
    """The maps for one bundle, by attribute."""

    model_sha256: str
    maps: Mapping[str, ScoreMap]
    document: Mapping[str, Any]
    """The file as read: what each map was fitted and checked on."""


def read_scale(file: Path, model_sha256: str) -> ScoreMaps:
    """Raises ScaleError where the file is none, is broken, or is for another bundle."""
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScaleError(f"cannot read the score map {file}: {error.strerror}") from None
    except ValueError as error:
        raise ScaleError(f"the score map {file} is no JSON: {error}") from None
    try:
        if document["format"] != MAPS_FORMAT:
            raise ScaleError(
                f"the score map {file} has format {document['format']}, not {MAPS_FORMAT}"
            )
        fitted_for = document["model_sha256"]
        maps = {name: _map(name, entry) for name, entry in document["maps"].items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ScaleError(f"the score map {file} is not valid: {error!r}") from None
    if fitted_for != model_sha256:
        raise ScaleError(
            f"the score map {file} was fitted for the bundle {str(fitted_for)[:12]}, this is"
            f" {model_sha256[:12]}: fit it again with mltox calibrate --against PAIRS"
        )
    return ScoreMaps(model_sha256, maps, document)


def _map(name: str, entry: Mapping[str, Any]) -> ScoreMap:
    knots = tuple((float(x), float(y)) for x, y in entry["knots"])
    check_knots(knots)
    return ScoreMap(name, str(entry["label"]), knots)


def check_knots(knots: Sequence[tuple[float, float]]) -> None:
    """Raises ValueError where they are no monotone map of [0, 1] into [0, 1]."""
    xs, ys = [x for x, _ in knots], [y for _, y in knots]
    if len(knots) < 2 or xs[0] != 0 or xs[-1] != 1:
        raise ValueError("knots must begin at 0 and end at 1")
    if any(a >= b for a, b in pairwise(xs)):
        raise ValueError("the probabilities of knots must rise")
    if ys != sorted(ys) or ys[0] < 0 or ys[-1] > 1:
        raise ValueError("the scores of knots must not fall, within 0 and 1")
