"""From pairs to a map and its report: what it was fitted on, and how far it agrees."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mltox.base.errors import UserError
from mltox.scoring.scale.agreement import agreement
from mltox.scoring.scale.attributes import ATTRIBUTES
from mltox.scoring.scale.fit import fit_knots
from mltox.scoring.scale.maps import MAPS_FORMAT, ScoreMap
from mltox.scoring.scale.pairs import Pairs
from mltox.scoring.scorer import Scorer

FOLDS = 5
MIN_PAIRS = 20


class Linked(NamedTuple):
    """The model's probability and the other service's score of the same texts."""

    ours: list[float]
    theirs: list[float]
    folds: list[int]
    """Which fold each text is in: decided by the text, so that a copy is in the same."""
    unscored: int
    """Texts in languages that the model does not know."""


def linked_pairs(scorer: Scorer, label: str, pairs: Pairs) -> Linked:
    """The probabilities of `label` beside the scores of `pairs`."""
    linked = Linked([], [], [], 0)
    unscored = 0
    for text, scores, theirs in zip(
        pairs.texts, scorer.score(pairs.texts), pairs.scores, strict=True
    ):
        ours = getattr(scores, label)
        if ours is None:
            unscored += 1
            continue
        linked.ours.append(ours)
        linked.theirs.append(theirs)
        linked.folds.append(hashlib.blake2b(text.encode(), digest_size=1).digest()[0] % FOLDS)
    return linked._replace(unscored=unscored)


def calibrate(attribute: str, linked: Linked, source: str) -> tuple[ScoreMap, dict[str, Any]]:
    """The map of an attribute and its entry in the file of maps.

    The entry's `agreement` has the scores as they are (`probability`) and mapped
    (`cross_validated`: each fifth of the texts by a map that was fitted on the other four).
    Raises UserError where there are too few pairs.
    """
    if len(linked.ours) < MIN_PAIRS:
        raise UserError(
            f"{attribute}: {len(linked.ours)} pairs can be used, at least {MIN_PAIRS} are needed"
        )
    made = _map(attribute, linked.ours, linked.theirs)
    return made, {
        "label": made.label,
        "version": made.version,
        "knots": [list(knot) for knot in made.knots],
        "fitted_on": {"source": source, "pairs": len(linked.ours), "unscored": linked.unscored},
        "agreement": {
            "probability": agreement(linked.ours, linked.theirs),
            "cross_validated": agreement(_cross_validated(attribute, linked), linked.theirs),
        },
    }


def check_map(made: ScoreMap, linked: Linked, source: str) -> dict[str, Any]:
    """An entry's `checked_on`: agreement on pairs that the map has not seen."""
    return {
        "source": source,
        "probability": agreement(linked.ours, linked.theirs),
        "mapped": agreement([made(value) for value in linked.ours], linked.theirs),
    }


def write_map(file: Path, scorer: Scorer, attribute: str, entry: dict[str, Any]) -> None:
    """Adds the entry to the file of maps, beside those of other attributes for the same bundle.
    Raises UserError."""
    document: dict[str, Any] = {}
    try:
        if file.exists():
            document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read the score map {file}: {error}") from None
    same = (
        document.get("model_sha256") == scorer.model_sha256
        and document.get("format") == MAPS_FORMAT
    )
    maps = document.get("maps", {}) if same else {}
    document = {
        "format": MAPS_FORMAT,
        "model": scorer.model,
        "model_sha256": scorer.model_sha256,
        "maps": maps | {attribute: entry},
    }
    try:
        file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot write the score map {file}: {error.strerror}") from None


def _map(attribute: str, ours: Sequence[float], theirs: Sequence[float]) -> ScoreMap:
    return ScoreMap(attribute, ATTRIBUTES[attribute], tuple(fit_knots(ours, theirs)))


def _cross_validated(attribute: str, linked: Linked) -> list[float]:
    maps = []
    for fold in range(FOLDS):
        kept = [at for at, own in enumerate(linked.folds) if own != fold]
        maps.append(
            _map(attribute, [linked.ours[at] for at in kept], [linked.theirs[at] for at in kept])
        )
    return [maps[fold](ours) for ours, fold in zip(linked.ours, linked.folds, strict=True)]
