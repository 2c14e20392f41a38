"""The general detector on the Numenta Anomaly Benchmark.

NAB's series are metrics of machines, mostly every five minutes. Scored by any NAB scorer that calls
`update(ts, value) -> score in [0, 1]` on `benchmarks.nab:NabDetector`, made once a file with
`probation`, the rows at its beginning that are not scored (15 % of it).
"""

from __future__ import annotations

from mltox.detection.general import GeneralDetector

QUIET = 0.6
"""Of the probation: after so many rows half a score is heard again."""


class NabDetector:
    def __init__(self, probation: int) -> None:
        self._detector = GeneralDetector(max(int(QUIET * probation), 10))

    def update(self, ts: int, value: float) -> float:
        return self._detector.update(ts, value)
