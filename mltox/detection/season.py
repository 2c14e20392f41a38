"""A level with a day and a week on it, learnt one hour at a time.

The state is `eta = level + day[hour of day] + weekday[day of week] + week[hour of week]`, each part
with its own variance. A part learns in proportion to its variance, so that a young hour of the week
leans on the shape of the day and on the weekday (its prior variance is small), and a long history
speaks for itself. It is the filter of a dynamic generalized linear model (see `families`) with the
covariances between the parts left out.
"""

from __future__ import annotations

from typing import NamedTuple

from mltox.posts.records import HOUR, Micros

HOURS_OF_DAY, DAYS_OF_WEEK, HOURS_OF_WEEK = 24, 7, 168


class VariancePart(NamedTuple):
    """A part's variance: where it begins (and never exceeds), and what it gains with time."""

    start: float
    gain: float


class Drift(NamedTuple):
    """The level gains variance every hour; a slot of the others whenever it is visited."""

    level: VariancePart
    day: VariancePart
    weekday: VariancePart
    week: VariancePart


class _Slots:
    """Means and variances of one part."""

    def __init__(self, part: VariancePart, count: int) -> None:
        self._part = part
        self.mean = [0.0] * count
        self.variance = [part.start] * count

    def learn(self, slot: int, move: float, total: float, noise: float) -> None:
        """Takes this part's share of the move, and the certainty that came with it."""
        variance = self.variance[slot]
        self.mean[slot] += move * variance / total
        left = variance * (1.0 - variance / (total + noise))
        self.variance[slot] = min(left + self._part.gain, self._part.start)


class SeasonalState:
    """Means and variances of the parts, on the link scale."""

    def __init__(self, drift: Drift) -> None:
        self._drift = drift
        self.level = 0.0
        self.level_variance = drift.level.start
        self._day = _Slots(drift.day, HOURS_OF_DAY)
        self._weekday = _Slots(drift.weekday, DAYS_OF_WEEK)
        self._week = _Slots(drift.week, HOURS_OF_WEEK)

    def eta(self, hour: Micros) -> float:
        day, weekday, week = _slots(hour)
        return (
            self.level + self._day.mean[day] + self._weekday.mean[weekday] + self._week.mean[week]
        )

    def common_variance(self, hour: Micros) -> float:
        """What is not known, and is the same for the hours around: of the level, the weekday."""
        return self.level_variance + self._weekday.variance[_slots(hour)[1]]

    def slot_variance(self, hour: Micros) -> float:
        """What is not known of this very hour of the day and of the week."""
        day, _, week = _slots(hour)
        return self._day.variance[day] + self._week.variance[week]

    def variance(self, hour: Micros) -> float:
        return self.common_variance(hour) + self.slot_variance(hour)

    def look(self, hour: Micros) -> tuple[float, float, float]:
        """`eta`, `common_variance` and `slot_variance` at once."""
        day, weekday, week = _slots(hour)
        days, weekdays, weeks = self._day, self._weekday, self._week
        return (
            self.level + days.mean[day] + weekdays.mean[weekday] + weeks.mean[week],
            self.level_variance + weekdays.variance[weekday],
            days.variance[day] + weeks.variance[week],
        )

    def pass_time(self, hours: int = 1) -> None:
        """The level wanders: its variance grows, up to where it began."""
        start, gain = self._drift.level
        self.level_variance = min(self.level_variance + hours * gain, start)

    def learn(
        self, hour: Micros, move: float, noise: float, level_move: float, level_noise: float
    ) -> None:
        """Spreads a move of eta over the parts by their variances.

        `noise` is the variance of the observation on the link scale. The level has a move and a
        noise of its own: hours that resemble their neighbours tell less of it than so many hours
        would, and yet all there is to know of their own hour of the day.
        """
        day, weekday, week = _slots(hour)
        total = self.variance(hour)
        self.level += level_move * self.level_variance / total
        self.level_variance *= 1.0 - self.level_variance / (total + level_noise)
        self._day.learn(day, move, total, noise)
        self._weekday.learn(weekday, move, total, noise)
        self._week.learn(week, move, total, noise)

    def restart_level(self, level: float, variance: float) -> None:
        """A new normal: the level jumps, and is as uncertain as the hours that told of it."""
        self.level = level
        self.level_variance = max(self.level_variance, variance)


def _slots(hour: Micros) -> tuple[int, int, int]:
    """Hour of the day, day of the week, hour of the week (UTC; which day is 0 does not matter)."""
    index = hour // HOUR
    return index % HOURS_OF_DAY, index // HOURS_OF_DAY % DAYS_OF_WEEK, index % HOURS_OF_WEEK
