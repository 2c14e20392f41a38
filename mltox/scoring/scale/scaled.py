"""A scorer whose scores are on another scale."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from mltox.posts.records import UNSCORED, Scores
from mltox.scoring.scale.beside import scale_beside
from mltox.scoring.scale.maps import MODEL_SCALE, ScoreMap, ScoreMaps
from mltox.scoring.scorer import Scorer
from mltox.scoring.trial import opened


class ScaledScorer:
    """Scores as `Scorer` does, with the labels that a scale has maps for on that scale.

    It is another model to whoever keeps its scores: `model` and `model_sha256` follow from the
    bundle and the maps. `threshold` is that of the bundle on the new scale, so that the same texts
    count as toxic.
    """

    def __init__(self, scorer: Scorer, scale: ScoreMaps) -> None:
        self._scorer = scorer
        self._maps = by_label(scale)
        version = "-".join(each.version for each in self._maps.values()) or MODEL_SCALE
        self.bundle = scorer.bundle
        self.model = f"{scorer.model}-{version}"
        self.model_sha256 = hashlib.sha256(f"{scorer.model_sha256}-{version}".encode()).hexdigest()
        self.threshold = threshold_on(scale, scorer.threshold)

    def score(
        self, texts: Iterable[str | None], langs: Iterable[str | None] | None = None
    ) -> list[Scores]:
        """See `Scorer.score`."""
        return [self._mapped(scores) for scores in self._scorer.score(texts, langs)]

    def reads(self, text: str, lang: str | None) -> bool:
        """See `Scorer.reads`."""
        return self._scorer.reads(text, lang)

    def _mapped(self, scores: Scores) -> Scores:
        if scores is UNSCORED:
            return UNSCORED
        return scores._replace(
            **{label: each(getattr(scores, label)) for label, each in self._maps.items()}
        )


AnyScorer = Scorer | ScaledScorer


def opened_on(scale: str, bundle: str, *, threads: int) -> AnyScorer:
    """A scorer that was tried, on the model's own scale (`model`) or on `perspective`.

    Raises BundleError where the bundle does not load or work, or has no map for that scale.
    """
    scorer = opened(bundle, threads=threads)
    if scale == MODEL_SCALE:
        return scorer
    return ScaledScorer(scorer, scale_beside(bundle, scorer.model_sha256))


def by_label(scale: ScoreMaps) -> dict[str, ScoreMap]:
    """One map a label, the first of those that read it: two attributes may share one."""
    maps: dict[str, ScoreMap] = {}
    for each in scale.maps.values():
        maps.setdefault(each.label, each)
    return maps


def threshold_on(scale: ScoreMaps, threshold: float) -> float:
    """A threshold of toxicity on that scale."""
    made = by_label(scale).get("toxicity")
    return made(threshold) if made else threshold
