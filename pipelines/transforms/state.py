"""How the state of a running job is written down, so that a newer release can still read it.

A pickle holds the names of classes and of their fields: rename one, and a job that is updated on
Dataflow loses its state or fails. Here each kind of state is a version byte and compressed JSON. A
release that changes what is in it counts the version up and still reads the older ones;
`tests/golden` holds bytes of each version that have to stay readable.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import fields
from typing import Any, ClassVar

import orjson
from apache_beam.coders import Coder

from mltox.detection.memory import memory_of, monitor_of, monitor_of_version_1
from mltox.detection.monitor import TopicMonitor
from mltox.posts.records import EvidencePost, HourlyToxicity, HourSummary
from pipelines.transforms.hour_accumulator import HourAccumulator, Ranked

LEVEL = 1
"""zlib's fastest: halves a monitor in a few milliseconds, and more would gain little."""

Plain = dict[str, Any]


class VersionedCoder(Coder):
    """Subclasses say how a value is plain data, and back.

    Decoding raises ValueError for a version of a later release: the job then stands still and loses
    nothing, where to begin anew would forget what it had learnt.
    """

    version: ClassVar[int] = 1

    def to_plain(self, value: Any) -> Plain:
        raise NotImplementedError

    def from_plain(self, plain: Plain) -> Any:
        raise NotImplementedError

    def encode(self, value: Any) -> bytes:
        text = orjson.dumps(self.to_plain(value), default=tuple)  # NamedTuples as lists
        return bytes([self.version]) + zlib.compress(text, LEVEL)

    def decode(self, encoded: bytes) -> Any:
        readers = {self.version: self.from_plain, **self.older()}
        if encoded[0] not in readers:
            raise ValueError(
                f"{type(self).__name__} reads version {self.version}, not {encoded[0]}:"
                " the state was written by another release of mltox"
            )
        return readers[encoded[0]](orjson.loads(zlib.decompress(encoded[1:])))

    def older(self) -> dict[int, Callable[[Plain], Any]]:
        """What reads the versions before this one."""
        return {}

    def is_deterministic(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))


class MonitorCoder(VersionedCoder):
    """Version 1 had one level without a reference, and scales in place of tails."""

    version: ClassVar[int] = 2

    def to_plain(self, value: TopicMonitor) -> Plain:
        return memory_of(value)

    def from_plain(self, plain: Plain) -> TopicMonitor:
        return monitor_of(plain)

    def older(self) -> dict[int, Callable[[Plain], Any]]:
        return {1: monitor_of_version_1}

    def to_type_hint(self) -> type[TopicMonitor]:
        return TopicMonitor


class SummaryCoder(VersionedCoder):
    def to_plain(self, value: HourSummary) -> Plain:
        return {
            "row": value.row._asdict(),
            "sample": value.sample,
            "toxic_sample": value.toxic_sample,
            "examples": value.examples,
        }

    def from_plain(self, plain: Plain) -> HourSummary:
        samples = {
            name: tuple(EvidencePost(*each) for each in plain[name])
            for name in ("sample", "toxic_sample", "examples")
        }
        return HourSummary(HourlyToxicity(**plain["row"]), **samples)

    def to_type_hint(self) -> type[HourSummary]:
        return HourSummary


class AccumulatorCoder(VersionedCoder):
    """The sums of an hour that is still open, which the runner keeps from pane to pane."""

    RANKED: ClassVar[tuple[str, ...]] = ("sample", "toxic_sample", "examples")

    def to_plain(self, value: HourAccumulator) -> Plain:
        plain = {field.name: getattr(value, field.name) for field in fields(value)}
        plain["histogram"] = list(value.histogram.items())
        plain["authors"] = list(value.authors)
        return plain

    def from_plain(self, plain: Plain) -> HourAccumulator:
        plain["histogram"] = dict(plain["histogram"])
        plain["authors"] = set(plain["authors"])
        for name in self.RANKED:
            ranked: list[Ranked] = [(rank, EvidencePost(*post)) for rank, post in plain[name]]
            plain[name] = ranked
        return HourAccumulator(**plain)

    def to_type_hint(self) -> type[HourAccumulator]:
        return HourAccumulator
