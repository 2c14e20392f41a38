"""How often each term was said in the hours before: decayed, bounded, small to pickle."""

from __future__ import annotations

from collections.abc import Mapping

from mltox.posts.records import DAY, Micros

HALF_LIFE = 7 * DAY
_RESCALE_AT = 1e6
_FORGOTTEN = 500
"""Half-lives after which nothing is left of a weight. 1,024 of them overflow a float."""


class Vocabulary:
    """Decayed weights of terms and of the posts they came from.

    Weights grow with time instead of all old ones shrinking: a post now counts 2^(age of the
    vocabulary / half-life) times a post at its beginning.
    """

    def __init__(self, size: int = 2500) -> None:
        self.size = size
        self.posts = 0.0
        self.total = 0.0
        self._terms: dict[str, float] = {}
        self._origin: Micros | None = None

    def __getitem__(self, term: str) -> float:
        return self._terms.get(term, 0.0)

    def rate(self, term: str) -> float:
        """The part of the posts that contain the term, in [0, 1]; 0 before the first post."""
        return min(self[term] / self.posts, 1.0) if self.posts else 0.0

    def learn(self, hour: Micros, terms: Mapping[str, float], posts: float) -> None:
        """Adds an hour's term weights, and the weight of the posts that they came from."""
        if self._origin is None or hour - self._origin > _FORGOTTEN * HALF_LIFE:
            self._forget(hour)
        unit = self.present(hour)
        for term in sorted(terms):
            weight = unit * terms[term]
            self._terms[term] = self._terms.get(term, 0.0) + weight
            self.total += weight
        self.posts += unit * posts
        if len(self._terms) > self.size * 5 // 4:
            self._prune()
        if unit > _RESCALE_AT:
            self._rescale(unit, hour)

    def present(self, hour: Micros) -> float:
        """What divides the weights to count in posts of `hour`."""
        if self._origin is None:
            return 1.0
        return 2.0 ** min((hour - self._origin) / HALF_LIFE, float(_FORGOTTEN))

    def _forget(self, hour: Micros) -> None:
        self._terms = {}
        self.posts = self.total = 0.0
        self._origin = hour

    def _prune(self) -> None:
        kept = sorted(self._terms.items(), key=lambda item: (-item[1], item[0]))[: self.size]
        self._terms = dict(kept)

    def _rescale(self, unit: float, hour: Micros) -> None:
        self._terms = {term: weight / unit for term, weight in self._terms.items()}
        self.posts /= unit
        self.total /= unit
        self._origin = hour
