"""What a running job keeps can be read back, by this release and by the next."""

from __future__ import annotations

import base64
import importlib
import inspect
import json
import pkgutil
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import orjson
import pytest
from apache_beam.coders import BooleanCoder, VarIntCoder

import pipelines.transforms
from mltox.detection.memory import memory_of
from mltox.detection.monitor import TopicMonitor
from mltox.posts.records import HOUR, EvidencePost, HourlyToxicity, HourSummary, ScoredPost
from pipelines.transforms.aggregate import CombineHour
from pipelines.transforms.hour_accumulator import HourAccumulator
from pipelines.transforms.state import (
    AccumulatorCoder,
    MonitorCoder,
    SummaryCoder,
    VersionedCoder,
)

GOLDEN = Path(__file__).parents[2] / "golden" / "state_v1.json"
GOLDEN_2 = GOLDEN.with_name("state_v2.json")
CODERS: dict[str, VersionedCoder] = {
    "monitor": MonitorCoder(),
    "summary": SummaryCoder(),
    "accumulator": AccumulatorCoder(),
}


def summary(hour: int, posts: int) -> HourSummary:
    row = HourlyToxicity(
        "t", hour * HOUR, "m@1", posts, 0, posts, 0.1 + hour % 7 / 100, 0.1, 0.2,
        None, None, None, None, None, None, 1, True, hour,
    )  # fmt: skip
    words = tuple(
        EvidencePost(f"x:{hour}-{n}", f"word{(hour * 7 + n) % 900} and ünïcode {n}", 0.25)
        for n in range(min(posts, 40))
    )
    return HourSummary(row, words, words[:3], words[:5])


def taught(hours: int, surge: bool = True) -> TopicMonitor:
    monitor = TopicMonitor("t")
    for hour in range(hours):
        monitor.observe(summary(hour, 400 if surge and hour == hours - 1 else 20 + hour % 24))
    return monitor


def accumulator() -> HourAccumulator:
    sums = HourAccumulator(0.4)
    for n in range(60):
        sums.add(
            ScoredPost(
                "t",
                f"x:{n}",
                "x",
                f"a{n % 9}",
                f"text {n}",
                "h",
                "en",
                n,
                0,
                0,
                "m",
                "s",
                n / 61,
                None,
                *[0.5] * 5,
            )
        )
    return sums


def examples() -> dict[str, Any]:
    return {
        "monitor": taught(100),
        "summary": summary(3, 12),
        "accumulator": accumulator(),
    }


def plain_in(encoded: bytes) -> Any:
    return orjson.loads(zlib.decompress(encoded[1:]))


@pytest.mark.parametrize("kind", sorted(CODERS))
def test_all_of_it_comes_back(kind: str) -> None:
    value, coder = examples()[kind], CODERS[kind]
    again = coder.decode(coder.encode(value))
    if kind == "monitor":
        assert memory_of(again) == memory_of(value)
        assert again._open and vars(again).keys() == vars(value).keys()
    else:
        assert again == value


def test_a_monitor_read_back_goes_on_as_the_original() -> None:
    """Also where its memory is nowhere compared: the verdicts of the days that follow."""
    original = taught(24 * 14)
    copy = MonitorCoder().decode(MonitorCoder().encode(original))
    for hour in range(24 * 14, 24 * 16):
        shown = summary(hour, 300 if hour % 17 == 0 else 22)
        assert copy.observe(shown) == original.observe(shown)
    assert memory_of(copy) == memory_of(original)


@pytest.mark.parametrize(
    ("kind", "golden"),
    [("accumulator", GOLDEN), ("summary", GOLDEN), ("monitor", GOLDEN_2)],
)
def test_state_of_the_present_version_can_still_be_read(kind: str, golden: Path) -> None:
    """A field that is added, renamed or dropped fails here: count the version up, and let
    `older` read both."""
    encoded = base64.b64decode(json.loads(golden.read_text())[kind])
    coder = CODERS[kind]
    again = coder.decode(encoded)
    assert plain_in(coder.encode(again)) == plain_in(encoded)


def test_a_monitor_of_version_1_keeps_what_it_had_learnt_and_goes_on() -> None:
    encoded = base64.b64decode(json.loads(GOLDEN.read_text())["monitor"])
    old, monitor = plain_in(encoded), MonitorCoder().decode(encoded)
    for name, detector in monitor._detectors.items():
        learnt = old["detectors"][name]
        assert [detector.season.level, detector.season.level_variance] == learnt["level"]
        assert detector.season._day.mean == learnt["season"]["_day"][0]
        assert detector.seen == learnt["seen"] > 0
    assert monitor._said.posts == old["said"]["posts"] > 0
    closed = monitor.observe(summary(100, 24))
    assert [(a.metric, a.status) for a in closed] == [("posts", "resolved")]
    for hour in range(101, 140):
        monitor.observe(summary(hour, 20 + hour % 24))
    assert MonitorCoder().encode(monitor)[0] == 2
    assert monitor.observe(summary(140, 900))[0].status == "open"


def test_the_golden_state_says_what_it_said() -> None:
    golden = {kind: base64.b64decode(text) for kind, text in json.loads(GOLDEN.read_text()).items()}
    monitor = CODERS["monitor"].decode(golden["monitor"])
    assert (monitor.topic, monitor.last_hour, set(monitor._open)) == ("t", 99 * HOUR, {"posts"})
    assert CODERS["summary"].decode(golden["summary"]) == summary(3, 12)
    assert CODERS["accumulator"].decode(golden["accumulator"]) == accumulator()


def test_another_version_is_refused_by_name() -> None:
    encoded = SummaryCoder().encode(summary(1, 2))
    with pytest.raises(ValueError, match="SummaryCoder reads version 1, not 2"):
        SummaryCoder().decode(b"\x02" + encoded[1:])


def test_a_busy_topic_is_kept_in_less_than_100_kB() -> None:
    """Two full vocabularies are most of it."""
    monitor = taught(60)
    for said in (monitor._said, monitor._said_toxic):
        said.learn(0, {f"some longer term {n}": 1 / (n + 3) for n in range(2500)}, 100.0)
    assert len(MonitorCoder().encode(monitor)) < 100_000


def dofns() -> Iterator[type[beam.DoFn]]:
    for module in pkgutil.iter_modules(pipelines.transforms.__path__):
        members = vars(importlib.import_module(f"pipelines.transforms.{module.name}")).values()
        for member in members:
            if inspect.isclass(member) and issubclass(member, beam.DoFn):
                yield member


def test_no_state_is_a_pickle() -> None:
    """A pickle names classes and fields, which a later release may have renamed."""
    found: dict[str, Any] = {}
    for dofn in dofns():
        states = {v for v in vars(dofn).values() if hasattr(v, "coder")}
        found |= {f"{dofn.__name__}.{spec.name}": spec.coder for spec in states}
    assert {"KeepFirst.seen", "WatchTopicLive.pending", "WatchTopicLive.monitor"} <= set(found)
    stable = (BooleanCoder, VarIntCoder, VersionedCoder)
    assert [name for name, coder in found.items() if not isinstance(coder, stable)] == []
    assert isinstance(CombineHour(0.4).get_accumulator_coder(), AccumulatorCoder)
