"""False alarms and recall of the detectors, by simulation.

    python benchmarks/detection.py [--topics 40]

Normal topics follow a day and a week, with bursts that last for hours (log-normal AR(1) noise),
retweets (whole texts repeat, so posts are not independent) and a wandering toxic share. A false
alarm is an incident (a run of anomalous hours) on a normal topic after the warm-up; a planted surge
is found when an hour of it is anomalous in the right metric and direction.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from mltox.detection.monitor import METRICS, TopicMonitor
from mltox.posts.records import HOUR, HourlyToxicity, HourSummary

WEEKS = 8
MONTH_HOURS = 720
WARM_UP = 72


@dataclass(frozen=True)
class World:
    """A normal topic: posts an hour, toxic share, burstiness, copies of a text."""

    name: str
    rate: float
    share: float
    burst: float = 0.25
    memory: float = 0.7
    wander: float = 0.1
    copies: float = 1.5


WORLDS = (
    World("2 posts/h", 2, 0.1),
    World("10 posts/h", 10, 0.1),
    World("30 posts/h", 30, 0.1),
    World("30 posts/h, calm, 20 %", 30, 0.2, burst=0.1, memory=0.5, wander=0.02, copies=1),
    World("30 posts/h, share 3 %", 30, 0.03),
    World("30 posts/h, bursty", 30, 0.1, burst=0.5, memory=0.85, wander=0.25, copies=3),
    World("300 posts/h", 300, 0.1),
    World("3000 posts/h", 3000, 0.2),
)


@dataclass(frozen=True)
class Surge:
    metric: str
    start: int
    hours: int
    factor: float


def ar1(rng: Generator, length: int, sigma: float, memory: float) -> np.ndarray:
    """Stationary noise with the given standard deviation."""
    noise = np.empty(length)
    noise[0] = rng.normal(0, sigma)
    for i in range(1, length):
        noise[i] = memory * noise[i - 1] + rng.normal(0, sigma * np.sqrt(1 - memory**2))
    return noise


def hours_of(
    world: World, rng: Generator, length: int, surge: Surge | None = None
) -> Iterator[HourSummary]:
    """The topic's hours, without texts. Hours without posts are left out, as in the warehouse."""
    t = np.arange(length)
    phase = rng.uniform(0, 24)
    season = 0.6 * np.sin(2 * np.pi * (t - phase) / 24) - 0.25 * ((t // 24) % 7 >= 5)
    rate = world.rate * np.exp(season + ar1(rng, length, world.burst, world.memory))
    tilt = 0.2 * np.sin(2 * np.pi * (t - phase - 5) / 24) + ar1(rng, length, world.wander, 0.9)
    odds = world.share / (1 - world.share) * np.exp(tilt)
    share = odds / (1 + odds)
    if surge is not None:
        during = (t >= surge.start) & (t < surge.start + surge.hours)
        if surge.metric == "posts":
            rate = np.where(during, rate * surge.factor, rate)
        else:
            share = np.where(during, np.minimum(share * surge.factor, 0.95), share)
    for hour in range(length):
        texts = rng.poisson(rate[hour] / world.copies)
        copies = rng.geometric(1 / world.copies, texts) if texts else np.zeros(0, dtype=int)
        posts = int(copies.sum())
        if posts == 0:
            continue
        toxic = rng.random(texts) < share[hour]
        scores = np.where(toxic, rng.beta(6, 2, texts), rng.beta(1, 12, texts))
        yield summary(
            hour, posts, float(scores @ copies / posts), float(copies[toxic].sum() / posts)
        )


def summary(hour: int, posts: int, mean: float, share: float) -> HourSummary:
    start = hour * HOUR
    unknown = (None,) * 7
    row = HourlyToxicity(
        "t", start, "m", posts, 0, posts, mean, share, *unknown, revision=0, is_final=True,
        updated_at=start,
    )  # fmt: skip
    return HourSummary(row, (), (), ())


def false_alarms(world: World, topics: int) -> dict[str, float]:
    """Incidents per topic and month, by metric."""
    opened = dict.fromkeys(METRICS, 0)
    length = WEEKS * 168
    for seed in range(topics):
        monitor = TopicMonitor("t")
        for hour in hours_of(world, np.random.default_rng(seed), length):
            for anomaly in monitor.observe(hour):
                opened[anomaly.metric] += anomaly.status == "open"
    months = topics * (length - WARM_UP) / MONTH_HOURS
    return {metric: count / months for metric, count in opened.items()}


def found_after(world: World, surge: Surge, topics: int) -> list[int | None]:
    """Hours from a surge's start to the first anomalous hour in it (1: the first); None: missed."""
    delays: list[int | None] = []
    for seed in range(topics):
        monitor = TopicMonitor("t")
        delay = None
        rng = np.random.default_rng(10_000 + seed)
        start = surge.start + int(rng.integers(0, 168))
        moved = Surge(surge.metric, start, surge.hours, surge.factor)
        for hour in hours_of(world, rng, start + surge.hours, moved):
            for anomaly in monitor.observe(hour):
                t = anomaly.hour // HOUR
                right = anomaly.metric == surge.metric and anomaly.direction == "up"
                if right and anomaly.status != "resolved" and t >= start and delay is None:
                    delay = t - start + 1
        delays.append(delay)
    return delays


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--topics", type=int, default=40, help="simulated topics a line")
    topics = parser.parse_args().topics
    print("False alarms per topic and month")
    for world in WORLDS:
        rates = false_alarms(world, topics)
        print(f"  {world.name:24s}" + "".join(f"  {m} {rates[m]:.2f}" for m in METRICS), flush=True)
    print("Planted surges after three weeks: recall, median delay in hours")
    for world in (WORLDS[1], WORLDS[2], WORLDS[3], WORLDS[5], WORLDS[6]):
        for metric, hours, factor in (
            ("posts", 1, 3),
            ("posts", 4, 2),
            ("posts", 4, 3),
            ("toxic_share", 1, 3),
            ("toxic_share", 4, 2),
            ("toxic_share", 4, 3),
            ("toxic_share", 12, 2),
            ("mean_toxicity", 4, 2),
            ("mean_toxicity", 4, 3),
        ):
            delays = found_after(world, Surge(metric, 3 * 168, hours, factor), topics)
            hits = [delay for delay in delays if delay is not None]
            median = f"{np.median(hits):.0f}" if hits else "-"
            print(
                f"  {world.name:24s} {metric:14s} x{factor} for {hours:2d} h: "
                f"{len(hits) / topics:.2f}, {median}",
                flush=True,
            )


if __name__ == "__main__":
    main()
