"""The scales on which metrics are forecast, so that no band leaves the metric's domain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_EDGE = 1e-4


class Scale(Protocol):
    """A map of values to the real line and back; both keep NaN and order."""

    def forward(self, values: Floats, posts: Floats) -> Floats: ...

    def back(self, z: Floats, posts: Floats) -> Floats: ...


@dataclass(frozen=True)
class LogCounts:
    """log(1 + count). Back, what is below 0 (down to -1) says how likely 0 is."""

    def forward(self, values: Floats, posts: Floats) -> Floats:
        return np.asarray(np.log1p(values))

    def back(self, z: Floats, posts: Floats) -> Floats:
        return np.asarray(np.expm1(np.minimum(z, 50.0)))


@dataclass(frozen=True)
class SmoothedLogit:
    """Logit of a proportion over `posts` posts, drawn to `centre` as by `strength` posts more.

    An hour of three posts, all or none of them toxic, thereby stays finite; `back` undoes the
    drawing for the posts expected of the hour, so that bands reach 0 where 0 is likely.
    """

    centre: float
    strength: float = 2.0

    def forward(self, values: Floats, posts: Floats) -> Floats:
        n = np.maximum(posts, 0.0)
        smoothed = (n * values + self.strength * self.centre) / (n + self.strength)
        inside = np.clip(smoothed, _EDGE, 1.0 - _EDGE)
        return np.asarray(np.log(inside / (1.0 - inside)))

    def back(self, z: Floats, posts: Floats) -> Floats:
        n = np.maximum(posts, 1.0)
        smoothed = 1.0 / (1.0 + np.exp(-np.clip(z, -30.0, 30.0)))
        drawn = (smoothed * (n + self.strength) - self.strength * self.centre) / n
        return np.asarray(np.clip(drawn, 0.0, 1.0))
