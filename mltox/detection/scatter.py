"""How widely a metric scatters, learnt one hour at a time without trusting its outliers."""

from __future__ import annotations

import math

from mltox.detection.families import Dispersion

CLIPPED_NORMAL = {2.0: 0.92053, 4.0: 0.99989}
"""E[min(Z^2, clip^2)] of a standard normal Z, by clip."""
TAIL = 0.02
TAIL_OF_NORMAL = 2.05375  # the normal quantile of 1 - TAIL
LEAST_TAIL = 1.6
"""No tail is taken to be thinner: the 2 % point of so few hours may be anything."""
TAIL_STEP = 0.05
RATE_OF_WIDTH = 0.01


def adapt(
    dispersion: Dispersion,
    bounds: tuple[Dispersion, Dispersion],
    sigmas: float,
    between_share: float,
    rate: float,
    clip: float = 2.0,
) -> Dispersion:
    """One stochastic step of Huber's Proposal 2: scatter until clipped squares average as normal.

    `between_share` is the part of the variance that is not sampling; each parameter moves by what
    it has to do with the residual. Huber (1964), Robust estimation of a location parameter. Means
    of few skewed scores need a wide `clip`, or their scatter is never believed.
    """
    surplus = rate * (min(sigmas * sigmas, clip * clip) - CLIPPED_NORMAL[clip])
    low, high = bounds
    sampling = dispersion.sampling * math.exp(surplus * (1.0 - between_share))
    between = dispersion.between * math.exp(surplus * between_share)
    return Dispersion(
        min(max(sampling, low.sampling), high.sampling),
        min(max(between, low.between), high.between),
    )


class Yardsticks:
    """What a sigma of each window is worth on this very series.

    `width` (at most 1, at least `floor`) says how much narrower the series is than the model of it.
    Beside it each window has the running upper 2 % point of either side: real conversations have
    heavier tails than any tidy model, one hour more than twelve, and upwards more than downwards.
    So standardised, windows of all lengths can be compared, and the greatest be taken.
    """

    def __init__(self, windows: int, floor: float) -> None:
        self.floor = floor
        self.width = 1.0
        self.up = [TAIL_OF_NORMAL] * windows
        self.down = [TAIL_OF_NORMAL] * windows

    def learn(self, surprises: list[float], of_width: float, seen: int) -> None:
        """`of_width` is the surprise that the width is learnt from.

        The points follow Robbins, Monro (1951): up by step * (1 - TAIL) when exceeded, down by
        step * TAIL otherwise.
        """
        square = self.width * self.width
        clipped = min(of_width * of_width, 4.0 * square)
        rate = max(RATE_OF_WIDTH, 0.5 / (seen + 25.0))
        square += rate * (clipped - CLIPPED_NORMAL[2.0] * square)
        self.width = min(max(math.sqrt(square), self.floor), 1.0)
        step = max(TAIL_STEP, 1.0 / (seen + 20.0))
        drop = step * TAIL / (1.0 - TAIL)
        up, down, scale = self.up, self.down, 1.0 / self.width
        for window, surprise in enumerate(surprises):
            sigmas = surprise * scale
            point = up[window]
            if sigmas > point:
                up[window] = point + step
            elif point > LEAST_TAIL:
                up[window] = point - drop
            point = down[window]
            if -sigmas > point:
                down[window] = point + step
            elif point > LEAST_TAIL:
                down[window] = point - drop
