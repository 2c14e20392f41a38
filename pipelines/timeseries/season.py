"""A level with a day and a week on it, learnt one hour at a time.

The state is `eta = level + day[hour of day] + week[hour of week]`, each part with its own variance.
A part learns in proportion to its variance, so that a young week slot leans on the day's shape (its
prior variance is small) and a long history speaks for itself. It is the filter of a dynamic
generalized linear model with the covariances between the parts left out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pipelines.records import HOUR, Micros

HOURS_OF_DAY, HOURS_OF_WEEK = 24, 168


@dataclass(frozen=True)
class Drift:
    """Prior variances of the parts, and what they gain: the level an hour, a slot a visit."""

    level_start: float
    level_gain: float
    day_start: float
    day_gain: float
    week_start: float
    week_gain: float


@dataclass
class SeasonalState:
    """Means and variances of the parts, on the link scale."""

    drift: Drift
    level: float = 0.0
    level_variance: float = 0.0
    day: list[float] = field(default_factory=lambda: [0.0] * HOURS_OF_DAY)
    day_variance: list[float] = field(default_factory=list)
    week: list[float] = field(default_factory=lambda: [0.0] * HOURS_OF_WEEK)
    week_variance: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.level_variance = self.level_variance or self.drift.level_start
        self.day_variance = self.day_variance or [self.drift.day_start] * HOURS_OF_DAY
        self.week_variance = self.week_variance or [self.drift.week_start] * HOURS_OF_WEEK

    def eta(self, hour: Micros) -> float:
        index = hour // HOUR
        return self.level + self.day[index % HOURS_OF_DAY] + self.week[index % HOURS_OF_WEEK]

    def slot_variance(self, hour: Micros) -> float:
        """What is not known of the hour's own season."""
        index = hour // HOUR
        return self.day_variance[index % HOURS_OF_DAY] + self.week_variance[index % HOURS_OF_WEEK]

    def variance(self, hour: Micros) -> float:
        return self.level_variance + self.slot_variance(hour)

    def pass_time(self, hours: int = 1) -> None:
        """The level wanders: its variance grows, up to where it began."""
        grown = self.level_variance + hours * self.drift.level_gain
        self.level_variance = min(grown, self.drift.level_start)

    def learn(self, hour: Micros, move: float, noise: float) -> None:
        """Spread a move of eta over the parts by their variances.

        `noise` is the variance of the observation on the link scale.
        """
        index = hour // HOUR
        day, week = index % HOURS_OF_DAY, index % HOURS_OF_WEEK
        total = self.variance(hour)
        shrink = 1.0 / (total + noise)
        level, of_day, of_week = (
            self.level_variance,
            self.day_variance[day],
            self.week_variance[week],
        )
        self.level += move * level / total
        self.day[day] += move * of_day / total
        self.week[week] += move * of_week / total
        drift = self.drift
        self.level_variance = level * (1.0 - level * shrink)
        self.day_variance[day] = min(
            of_day * (1.0 - of_day * shrink) + drift.day_gain, drift.day_start
        )
        self.week_variance[week] = min(
            of_week * (1.0 - of_week * shrink) + drift.week_gain, drift.week_start
        )

    def restart_level(self, move: float) -> None:
        """A new normal: the level jumps, and learns fast again."""
        self.level += move
        self.level_variance = self.drift.level_start / 4
