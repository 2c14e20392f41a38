"""How widely a metric scatters, learnt one hour at a time without trusting its outliers."""

from __future__ import annotations

import math

from mltox.detection.families import Dispersion

CLIP = 2.0
CLIPPED_NORMAL = 0.92053  # E[min(Z^2, CLIP^2)] of a standard normal Z
TAIL = 0.02
TAIL_OF_NORMAL = 2.05375  # the normal quantile of 1 - TAIL


def adapt(
    dispersion: Dispersion,
    bounds: tuple[Dispersion, Dispersion],
    sigmas: float,
    between_share: float,
    rate: float,
) -> Dispersion:
    """One stochastic step of Huber's Proposal 2: scatter until clipped squares average as normal.

    `between_share` is the part of the variance that is not sampling; each parameter moves by what
    it has to do with the residual. Huber (1964), Robust estimation of a location parameter.
    """
    surplus = rate * (min(sigmas * sigmas, CLIP * CLIP) - CLIPPED_NORMAL)
    low, high = bounds
    sampling = dispersion.sampling * math.exp(surplus * (1.0 - between_share))
    between = dispersion.between * math.exp(surplus * between_share)
    return Dispersion(
        min(max(sampling, low.sampling), high.sampling),
        min(max(between, low.between), high.between),
    )


class Tail:
    """How much heavier than normal a tail is: the running upper 2 % point over the normal one.

    Real conversations have heavier tails than any tidy model. The scale is never below 1, begins
    at `start` (wide while little is known), and a single outlier moves it by `rate` sigmas at most.
    """

    def __init__(self, start: float, rate: float) -> None:
        self._point = start * TAIL_OF_NORMAL
        self._rate = rate

    @property
    def scale(self) -> float:
        return max(1.0, self._point / TAIL_OF_NORMAL)

    def learn(self, sigmas: float) -> None:
        """Robbins, Monro (1951): up by rate * (1 - TAIL) when exceeded, down by rate * TAIL."""
        self._point += self._rate * ((1.0 if sigmas > self._point else 0.0) - TAIL)
