"""One metric of one topic, judged hour by hour against its own past."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from mltox.detection.families import CountFamily, Family, Proportions, Sums
from mltox.detection.new_level import LEAST_LEVEL_HOURS, level_since
from mltox.detection.nowcast import LONG_RUN, MEMORY, Nowcast
from mltox.detection.scatter import TAIL_OF_NORMAL, Yardsticks, adapt
from mltox.detection.season import Drift, SeasonalState, VariancePart
from mltox.detection.tails import FROM, MONTH_HOURS, Tail, TailPrior, sigmas_of
from mltox.detection.windows import LONGEST_WINDOW, SLOW, WIDTH_WINDOW, WINDOWS, Reading, Record
from mltox.posts.records import HOUR, Micros

FIRST_JUDGED = 6
"""Observed hours before the first judgement; what is not known yet makes it wide."""
WARM_UP_HOURS = 72
"""Judgements are marked as early until so many hours were observed."""
REFERENCE_DELAY = 24
"""Hours after which the reference hears of an hour (less in the first days)."""
LEAN, LEAN_WITHIN = 0.7, 1.0
"""Sigmas by which the hour itself must lean the way of its window: a surge that is over is over."""
STAYS = 0.75
"""The part of the alarming sigmas that keeps an incident going."""
REACH, REACH_WITHIN = 3.0, 1.0
"""Sigmas of an hour that are learnt; little of what is anomalous."""
SUPPORTED, MOST_SUPPORT = 1.0, 4.0
"""Sigmas from which the support of another metric counts, and how far (in squared sigmas)."""
BELOW_THE_TAIL = 0.7
"""Score of a sigma where no rate is known."""
RETURN_HOURS = 168
RETURN_SIGMAS = 3.0
"""Within a week of a new level, what fits the level before is a return and no news."""
MOST_SILENT_HOURS = 168
"""A silence that lasts longer is an end, and no incident any more."""
BAND_STEPS = 20
_LASTING = tuple(i < len(SLOW) and hours >= LEAST_LEVEL_HOURS for i, hours in enumerate(WINDOWS))
SIGNS = (1, -1)


_UP, _DOWN = TailPrior(1 / 42, 3.5), TailPrior(1 / 48, 3.0)
_RISEN, _FALLEN = TailPrior(1 / 150, 3.0), TailPrior(1 / 170, 2.3)


@dataclass(frozen=True)
class DetectorSettings:
    """What a metric is, and what part of a topic's false alarms it may use up.

    `up`, `down`: its part of the alarms that a topic may give for nothing, by direction;
    `new_level`: the same for either direction of a lasting change.
    `least_change`: a smaller distance from the expected is never an anomaly (units of the metric).
    `least_pooled`: fewer posts in the window are no evidence.
    `clip`: sigmas beyond which scatter is not believed; `least_width`: see `Yardsticks`.
    `up_prior`, `down_prior`, `level_prior`: tails of many simulated and real series.
    """

    family: Family
    drift: Drift
    up: float
    down: float
    least_change: float
    least_pooled: float = 0.0
    new_level: float = 0.05
    clip: float = 2.0
    least_width: float = 0.3
    up_prior: TailPrior = _UP
    down_prior: TailPrior = _DOWN
    level_prior: tuple[TailPrior, TailPrior] = (_RISEN, _FALLEN)


_TOXICITY_DRIFT = Drift(
    VariancePart(4.0, 1e-5),
    VariancePart(0.02, 2e-5),
    VariancePart(0.003, 5e-6),
    VariancePart(0.005, 2e-5),
)
POSTS = DetectorSettings(
    family=CountFamily(),
    drift=Drift(
        VariancePart(4.0, 1e-4),
        VariancePart(0.3, 2e-4),
        VariancePart(0.05, 5e-5),
        VariancePart(0.05, 2e-4),
    ),
    up=0.45,
    down=0.15,
    least_change=3.0,
)
TOXIC_SHARE = DetectorSettings(
    family=Proportions(discrete=True),
    drift=_TOXICITY_DRIFT,
    up=0.2,
    down=0.05,
    least_change=0.02,
    least_pooled=5.0,
    clip=4.0,
    least_width=0.7,
    up_prior=TailPrior(1 / 42, 6.0),
    down_prior=TailPrior(1 / 60, 2.0),
)
# A mean of scores tells more than a share of them: it has the greater part of the alarms.
MEAN_TOXICITY = DetectorSettings(
    family=Proportions(discrete=False),
    drift=_TOXICITY_DRIFT,
    up=0.45,
    down=0.08,
    least_change=0.01,
    least_pooled=5.0,
    clip=4.0,
    least_width=0.7,
    up_prior=TailPrior(1 / 40, 5.0),
    down_prior=TailPrior(1 / 60, 2.0),
)


class Verdict(NamedTuple):
    """A judged hour.

    `score`, signed, says how rare: a normal topic reaches it as often as a normal deviate does in
    as many hours (2.99: once a month, all its alarms together). `window` is the hours pooled to
    reach it, `kind` one of surge, silence, new_level (that has lasted for `window` hours). `early`:
    the topic is young, and the judgement leans on priors. `lower` and `upper` bound the values that
    would not have been anomalous in this hour (NaN where it was not).
    """

    observed: float
    expected: float
    lower: float
    upper: float
    score: float
    window: int
    anomalous: bool
    kind: str
    early: bool

    @property
    def direction(self) -> str:
        return "up" if self.score > 0 else "down"


class Former(NamedTuple):
    """The level before the last new one: where it was, which way it was left, when (hours)."""

    level: float
    sign: int
    hour: int


class _Hour(NamedTuple):
    """All that is expected of an hour before it is seen."""

    start: Micros
    mean: float
    near: float
    common: float
    slack: float
    near_slack: float


class _Side(NamedTuple):
    """The strongest windows of one direction, in sigmas of a normal series (never negative)."""

    sign: int
    sigmas: float
    window: int
    lasting: float
    lean: float


class _Judgement(NamedTuple):
    score: float
    window: int
    kind: str | None
    since: int | None = None


class SeasonalDetector:
    """Judges an hour before it learns from it; learns little from what it calls anomalous.

    `false_alarms_per_month` is what a normal topic may give for nothing, its metrics together.
    Nothing is judged in the first 6 observed hours, and what is judged in the first 72 is early.
    The hour of the day is known after some days, the hour of the week grows out of it in the weeks
    that follow. A value that is none (NaN, infinite, negative, a mean over no posts) is refused:
    counted in `refused`, and else as if the hour had not been seen.

    >>> detector = SeasonalDetector(POSTS)
    >>> for hour in range(24 * 7):
    ...     _ = detector.observe(hour * 3_600_000_000, 50.0, 50.0)
    >>> detector.observe(24 * 7 * 3_600_000_000, 200.0, 200.0).anomalous
    True
    """

    def __init__(self, settings: DetectorSettings, false_alarms_per_month: float = 1.0) -> None:
        self.settings = settings
        self.false_alarms_per_month = false_alarms_per_month
        self.refused = 0
        self.risen = 0.0
        self.seen = 0
        self.season = SeasonalState(settings.drift)
        self.dispersion = settings.family.start
        self.bursty_part = 0.5
        self.last_residual = 0.0
        self.nowcast = Nowcast()
        self.yardsticks = Yardsticks(len(WINDOWS), settings.least_width)
        self.tails = {1: Tail(settings.up_prior), -1: Tail(settings.down_prior)}
        self.level_tails = {
            sign: Tail(prior) for sign, prior in zip(SIGNS, settings.level_prior, strict=True)
        }
        self.record = Record()
        self.unheard: deque[tuple[Micros, float, float, float]] = deque()
        self.barrier = -1
        self.incident = 0
        self.silent_hours = 0
        self.former: Former | None = None

    @property
    def warm(self) -> bool:
        return self.seen >= WARM_UP_HOURS

    def skip(self, hours: int = 1) -> None:
        """Hours without an observation: time passes, and certainty with it."""
        self.season.pass_time(hours)
        self.nowcast.pass_time(self._bursts(self.settings.family.mean(self.season.level)), hours)
        self.last_residual = 0.0

    def expected(self, hour: Micros) -> float:
        return self.settings.family.mean(self.season.eta(hour))

    def observe(
        self, start: Micros, value: float, posts: float, support: float = 0.0
    ) -> Verdict | None:
        """Judges, then learns. None while warming up. `posts` > 0 where the value is a mean.

        `support`: what another metric says of a rise in this hour (its `risen`). Evidence of
        independent metrics adds up, and as the tail is learnt of the sums, the rate is still kept.
        """
        family = self.settings.family
        if not family.accepts(value, posts):
            self.refused += 1
            self.risen = 0.0
            self.skip()
            return None
        if self.seen == 0:
            self.season.level = family.eta(value + 0.5 if posts == value else value)
        expected = self._expect(start)
        reading = self._reading(expected, value, posts)
        surprises = self._surprises(reading, expected.common)
        sides = self._sides(surprises, reading.hour, support)
        self.risen = max(sides[0].sigmas ** 2 - FROM**2, 0.0)
        judgement = None
        if self.seen >= FIRST_JUDGED:
            judgement = self._judge(value, expected, reading, sides)
            opens = judgement.kind in ("surge", "new_level") and not (
                judgement.kind == "surge" and self.incident == (1 if judgement.score > 0 else -1)
            )
            if opens and self._fits_former(judgement, reading):
                self._return_to_former(reading.hour)
                judgement = judgement._replace(kind=None, since=None)
        verdict = judgement and self._verdict(judgement, value, posts, expected, support)
        self._learn(expected, value, posts, reading, surprises, sides, judgement)
        return verdict

    def _bursts(self, mean: float) -> float:
        """Variance of what lies off the reference for some hours, on the link scale."""
        return self.dispersion.between * self.settings.family.link(mean) * self.bursty_part

    def _expect(self, start: Micros) -> _Hour:
        family, season = self.settings.family, self.season
        season.pass_time()
        eta, common, slack = season.look(start)
        mean = family.mean(eta)
        between = self.dispersion.between * family.link(mean)
        bursts = between * self.bursty_part
        self.nowcast.pass_time(bursts + common)
        lone = between - bursts
        near = family.mean(eta + self.nowcast.offset)
        return _Hour(start, mean, near, common, slack, lone + self.nowcast.variance + slack)

    def _reading(self, expected: _Hour, value: float, posts: float) -> Reading:
        family = self.settings.family
        hour = family.hour(value, posts, expected.mean, expected.slack)
        near = family.hour(value, posts, expected.near, expected.near_slack)
        return Reading(expected.start // HOUR, *hour, near.mean, near.slack)

    def _surprises(self, reading: Reading, common: float) -> list[float]:
        sampling, between = self.dispersion
        bursty = between * self.bursty_part
        return self.record.surprises(
            reading, self.settings.family, sampling, between - bursty, bursty, common
        )

    def _sides(self, surprises: list[float], index: int, support: float) -> tuple[_Side, _Side]:
        """What the windows say upwards and downwards.

        Windows that reach back beyond the end of the last incident do not count.
        """
        up = down = lasts_up = lasts_down = 0.0
        up_window = down_window = 1
        free = index - self.barrier
        yardsticks = self.yardsticks
        unit = TAIL_OF_NORMAL / yardsticks.width
        for which, surprise in enumerate(surprises):
            if surprise > 0:
                measured = surprise * unit / yardsticks.up[which]
                if measured > lasts_up and _LASTING[which]:
                    lasts_up = measured
                if measured > up and WINDOWS[which] <= free:
                    up, up_window = measured, WINDOWS[which]
            elif surprise < 0:
                measured = -surprise * unit / yardsticks.down[which]
                if measured > lasts_down and _LASTING[which]:
                    lasts_down = measured
                if measured > down and WINDOWS[which] <= free:
                    down, down_window = measured, WINDOWS[which]
        lean = surprises[0]
        needed = LEAN_WITHIN if self.incident else LEAN
        if support and up > SUPPORTED:
            up = math.sqrt(up * up + support)
        if lean < needed:
            up = min(up, FROM * max(lean, 0.0) / needed)
        if -lean < needed:
            down = min(down, FROM * max(-lean, 0.0) / needed)
        return (
            _Side(1, up, up_window, lasts_up, lean),
            _Side(-1, down, down_window, lasts_down, -lean),
        )

    def _judge(
        self, value: float, expected: _Hour, reading: Reading, sides: tuple[_Side, _Side]
    ) -> _Judgement:
        """Changes nothing, so that a band can try other values."""
        side = sides[0] if sides[0].lean > 0 else sides[1]
        settings, sign = self.settings, side.sign
        tail = self.tails[sign]
        allowed = settings.up if sign > 0 else settings.down
        silent = value == 0 and sign < 0 and isinstance(settings.family, CountFamily)
        goes_on = silent and 0 < self.silent_hours < MOST_SILENT_HOURS
        if side.sigmas <= FROM * STAYS and side.lasting <= FROM and not goes_on:
            return _Judgement(sign * side.sigmas * BELOW_THE_TAIL, side.window, None)
        score = sign * self._score(side.sigmas, tail, allowed)
        enough = abs(value - expected.mean) >= settings.least_change and (
            self._pooled_posts(reading, side.window) >= settings.least_pooled
        )
        since = self._new_level(reading, side) if enough and not silent else None
        if since is not None:
            return _Judgement(score, reading.hour - since + 1, "new_level", since)
        if goes_on or (enough and self._alarming(side, tail, allowed)):
            return _Judgement(score, side.window, "silence" if silent else "surge")
        return _Judgement(score, side.window, None)

    def _score(self, sigmas: float, tail: Tail, allowed: float) -> float:
        if sigmas <= FROM:
            return sigmas * BELOW_THE_TAIL
        return max(sigmas_of(tail.rate(sigmas) / allowed), FROM * BELOW_THE_TAIL)

    def _alarming(self, side: _Side, tail: Tail, allowed: float) -> bool:
        level = tail.level(allowed * self.false_alarms_per_month / MONTH_HOURS)
        return side.sigmas >= (level * STAYS if self.incident == side.sign else level)

    def _new_level(self, reading: Reading, side: _Side) -> int | None:
        """The index of its first hour, where the lasting windows alarm and the hours agree."""
        if side.lasting <= FROM or side.lean < LEAN:
            return None
        rate = self.settings.new_level * self.false_alarms_per_month / MONTH_HOURS
        if side.lasting < self.level_tails[side.sign].level(rate):
            return None
        day = self.record.since(reading.hour - LONGEST_WINDOW + 1)
        return level_since([*day, reading], side.sign)

    def _pooled_posts(self, reading: Reading, window: int) -> float:
        hours = self.record.since(reading.hour - window + 1)
        return reading.weight + sum(hour.weight for hour in hours)

    def _fits_former(self, judgement: _Judgement, reading: Reading) -> bool:
        """Whether what is new about the hours is that they are as before the last new level."""
        former = self.former
        if former is None or judgement.score * former.sign > 0:
            return False
        if reading.hour - former.hour > RETURN_HOURS:
            return False
        family, move = self.settings.family, former.level - self.season.level
        hours = [*self.record.since(reading.hour - judgement.window + 1), reading]
        pooled = [
            family.hour(
                hour.value / hour.weight,
                hour.weight,
                family.mean(family.eta(hour.mean / hour.weight) + move),
                0.0,
            )
            for hour in hours
        ]
        sums = Sums(*map(sum, zip(*pooled, strict=True)))
        between = self.dispersion.between * LONG_RUN
        return abs(family.surprise(*sums, self.dispersion.sampling, between, 0.01)) <= RETURN_SIGMAS

    def _return_to_former(self, index: int) -> None:
        assert self.former is not None
        self.season.level = self.former.level
        self.former = None
        self.nowcast.restart()
        self.barrier = index

    def _verdict(
        self, judgement: _Judgement, value: float, posts: float, expected: _Hour, support: float
    ) -> Verdict:
        anomalous = judgement.kind is not None
        lower = upper = math.nan
        if anomalous:
            lower, upper = self._band(value, posts, expected, support)
        return Verdict(
            observed=value,
            expected=expected.mean,
            lower=lower,
            upper=upper,
            score=judgement.score,
            window=judgement.window,
            anomalous=anomalous,
            kind=judgement.kind or "",
            early=not self.warm,
        )

    def _band(
        self, value: float, posts: float, expected: _Hour, support: float
    ) -> tuple[float, float]:
        """The outermost values that this hour could have had without being anomalous."""

        def normal(there: float) -> bool:
            reading = self._reading(expected, there, posts)
            surprises = self._surprises(reading, expected.common)
            sides = self._sides(surprises, reading.hour, support)
            return self._judge(there, expected, reading, sides).kind is None

        highest = self.settings.family.highest(value, expected.mean)
        return (
            _edge(normal, inside=expected.mean, outside=min(value, 0.0)),
            _edge(normal, inside=expected.mean, outside=max(value, highest)),
        )

    def _learn(
        self,
        expected: _Hour,
        value: float,
        posts: float,
        reading: Reading,
        surprises: list[float],
        sides: tuple[_Side, _Side],
        judgement: _Judgement | None,
    ) -> None:
        kind = judgement.kind if judgement is not None else None
        sign = 0 if judgement is None or kind is None else 1 if judgement.score > 0 else -1
        self.yardsticks.learn(surprises, surprises[WIDTH_WINDOW] or surprises[0], self.seen)
        if judgement is not None:
            for side in sides:
                self.tails[side.sign].learn(side.sigmas)
                self.level_tails[side.sign].learn(side.lasting)
        reach = REACH_WITHIN if sign else REACH
        if kind != "silence":
            self._learn_scatter(expected, value, posts, reach)
            self._teach_reference(expected.start, value, posts, reach)
        if kind == "silence":
            self.silent_hours += 1
        elif self.silent_hours:
            self.silent_hours = 0
            self.record.clear()  # its hours tell nothing of the level
        self.record.add(reading)
        if self.incident and not sign:
            self.barrier = reading.hour  # its hours would alarm once more
        self.incident = sign
        self.seen += 1
        if judgement is not None and judgement.since is not None:
            self._settle(reading.hour, judgement.since, sign)

    def _learn_scatter(self, expected: _Hour, value: float, posts: float, reach: float) -> None:
        family, mean = self.settings.family, expected.mean
        sampling = family.sampling(mean, posts, self.dispersion.sampling)
        between = self.dispersion.between * family.link(mean)
        total = sampling + between + expected.common + expected.slack
        sigma = math.sqrt(total)
        residual = family.residual(value, mean)
        rate = max(0.01, 1.0 / (self.seen + 10))
        believed = min(max(residual, -REACH * sigma), REACH * sigma)
        self._learn_bursts(believed, between, between / total, rate)
        self.dispersion = adapt(
            self.dispersion, family.bounds, residual / sigma, 1.0 - sampling / total, rate,
            self.settings.clip,
        )  # fmt: skip
        noise = sampling + between * (1.0 - self.bursty_part) + expected.slack
        most = reach * math.sqrt(noise + self.nowcast.variance)
        off = family.residual(value, expected.near)
        self.nowcast.learn(min(max(off, -most), most), noise)

    def _learn_bursts(self, residual: float, between: float, share: float, rate: float) -> None:
        """The part of the variance between hours that neighbours have in common."""
        if self.last_residual:
            seen = residual * self.last_residual / (MEMORY * between)
            step = 0.5 * rate * share * share * (min(max(seen, -6.0), 6.0) - self.bursty_part)
            self.bursty_part = min(max(self.bursty_part + step, 0.0), 1.0)
        self.last_residual = residual

    def _teach_reference(self, start: Micros, value: float, posts: float, reach: float) -> None:
        self.unheard.append((start, value, posts, reach))
        delay = min(max(self.seen // 4, 1), REFERENCE_DELAY)
        while len(self.unheard) > delay:
            self._hear(*self.unheard.popleft())

    def _hear(self, start: Micros, value: float, posts: float, reach: float) -> None:
        family, season, dispersion = self.settings.family, self.season, self.dispersion
        eta, common, slack = season.look(start)
        mean, variance = family.mean(eta), common + slack
        link = family.link(mean)
        sampling = family.sampling(mean, posts, dispersion.sampling)
        sigma = math.sqrt(sampling + dispersion.between * link + variance)
        credible = family.clip(value, mean, reach * sigma)
        part = self.bursty_part
        long = dispersion._replace(between=dispersion.between * (1.0 - part + part * LONG_RUN))
        season.learn(
            start,
            family.step(credible, posts, mean, dispersion, variance),
            sampling + dispersion.between * link,
            family.step(credible, posts, mean, long, variance),
            sampling + long.between * link,
        )

    def _settle(self, index: int, since: int, sign: int) -> None:
        """The reference takes the new level over at once, and the windows begin anew."""
        family = self.settings.family
        run = self.record.since(since)
        value, weight = sum(h.value for h in run), sum(h.weight for h in run)
        mean = sum(h.mean for h in run) / weight
        if self.former is None or index - self.former.hour > RETURN_HOURS:
            self.former = Former(self.season.level, sign, index)
        few = family.sampling(mean, weight, self.dispersion.sampling)
        off = few + self.dispersion.between * family.link(mean)
        move = family.eta(max(value, 0.5) / weight) - family.eta(mean)
        self.season.restart_level(self.season.level + move, off / 4.0)
        self.nowcast.restart()
        self.record.clear()
        self.unheard = deque(hour for hour in self.unheard if hour[0] // HOUR >= since)
        self.barrier = index


def _edge(normal: Callable[[float], bool], inside: float, outside: float) -> float:
    """Bisection: the last value, going from `inside` to `outside`, that is normal."""
    if normal(outside):
        return outside
    for _ in range(BAND_STEPS):
        middle = (inside + outside) / 2
        if normal(middle):
            inside = middle
        else:
            outside = middle
    return inside
