"""How far the present hours lie off the reference, and how much of that an hour later will."""

from __future__ import annotations

MEMORY = 0.8
"""What is left of a burst after an hour (a half-life of three)."""
LONG_RUN = (1.0 + MEMORY) / (1.0 - MEMORY)
"""By how much less so many bursty hours tell than independent ones."""


def inflation(hours: int) -> float:
    """The variance of a sum of `hours` bursty hours over that of as many independent ones.

    >>> inflation(1)
    1.0
    """
    return (hours + 2.0 * sum((hours - k) * MEMORY**k for k in range(1, hours))) / hours


class Nowcast:
    """An offset that fades, filtered from hour to hour (Kalman, AR(1)); link scale."""

    def __init__(self) -> None:
        self.offset = 0.0
        self.variance = 0.0

    def pass_time(self, stationary: float, hours: int = 1) -> None:
        """`stationary`: the variance that an offset has when nothing is known of it."""
        kept = MEMORY**hours
        self.offset *= kept
        self.variance = kept * kept * self.variance + (1.0 - kept * kept) * stationary

    def learn(self, residual: float, noise: float) -> None:
        gain = self.variance / (self.variance + noise)
        self.offset += gain * residual
        self.variance *= 1.0 - gain

    def restart(self) -> None:
        self.offset = 0.0
