"""How many posts an hour of a topic has: day and week rhythm, Poisson counts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from random import Random

from ingest.sources.sample.texts import ELECTION, FOOTBALL, TRANSIT

HOURS = 4 * 7 * 24

TOPIC_SHARE: Mapping[str, float] = {ELECTION: 0.37, FOOTBALL: 0.33, TRANSIT: 0.30}
"""Each topic's part of all posts."""

BASE_RUDE: Mapping[str, float] = {ELECTION: 0.095, FOOTBALL: 0.085, TRANSIT: 0.07}
"""Each topic's part of rude posts in ordinary hours, before the time of day."""

_DAY: Mapping[str, tuple[float, ...]] = {
    ELECTION: (
        *(0.45, 0.28, 0.2, 0.17, 0.2, 0.35, 0.6, 0.95, 1.15, 1.15, 1.1, 1.15),
        *(1.3, 1.2, 1.05, 1.05, 1.1, 1.3, 1.5, 1.7, 1.8, 1.65, 1.25, 0.8),
    ),
    FOOTBALL: (
        *(0.5, 0.3, 0.2, 0.15, 0.15, 0.25, 0.45, 0.75, 0.95, 1.0, 1.0, 1.1),
        *(1.25, 1.2, 1.15, 1.2, 1.25, 1.35, 1.5, 1.75, 1.9, 1.75, 1.35, 0.85),
    ),
    TRANSIT: (
        *(0.35, 0.22, 0.15, 0.15, 0.3, 0.75, 1.4, 2.0, 1.9, 1.2, 0.95, 0.95),
        *(1.1, 1.05, 1.0, 1.2, 1.6, 1.9, 1.6, 1.1, 0.85, 0.75, 0.65, 0.5),
    ),
}
_WEEK: Mapping[str, tuple[float, ...]] = {
    ELECTION: (1.05, 1.05, 1.1, 1.1, 1.0, 0.8, 0.9),
    FOOTBALL: (0.95, 0.8, 1.0, 0.8, 0.95, 1.35, 1.15),
    TRANSIT: (1.2, 1.2, 1.15, 1.15, 1.15, 0.6, 0.55),
}
_MATCH_DAY, _MATCH_HOURS, _MATCH_FACTOR = 5, range(14, 18), 1.8


def level(topic: str, hour: int) -> float:
    """Returns how busy an hour (counted from a Monday, 00:00) is; 1 is about the mean."""
    day, of_day = hour // 24 % 7, hour % 24
    match = topic == FOOTBALL and day == _MATCH_DAY and of_day in _MATCH_HOURS
    return _DAY[topic][of_day] * _WEEK[topic][day] * (_MATCH_FACTOR if match else 1.0)


def rude_share(topic: str, hour: int) -> float:
    """Returns the part of rude posts in an ordinary hour: more late in the evening."""
    of_day = hour % 24
    return BASE_RUDE[topic] * (1.35 if of_day >= 21 or of_day < 3 else 0.8 if of_day < 10 else 1.0)


def poisson(mean: float, rng: Random) -> int:
    """Returns a Poisson number: Knuth's product of uniforms, in steps that do not underflow."""
    count = 0
    while mean > 0:
        step = min(mean, 500.0)
        mean -= step
        limit, product = math.exp(-step), rng.random()
        while product > limit:
            count += 1
            product *= rng.random()
    return count
