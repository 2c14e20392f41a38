"""Counters of a finished run, by whichever runner."""

from __future__ import annotations

from typing import Any, cast

from apache_beam.metrics.execution import MetricKey, MetricResult
from apache_beam.metrics.metric import MetricName
from apache_beam.runners.runner import PipelineResult

from pipelines.transforms.metrics import NAMESPACE, counters


class Ran:
    """A result whose metrics are what a runner has reported."""

    def __init__(self, *reported: tuple[str, str, int | None, int | None]) -> None:
        self._found = [
            MetricResult(MetricKey(step, MetricName(NAMESPACE, name)), committed, attempted)
            for step, name, committed, attempted in reported
        ]

    def metrics(self) -> Ran:
        return self

    def query(self, _: object) -> dict[str, Any]:
        return {"counters": self._found}


def test_a_counter_is_summed_over_its_steps_and_one_that_is_unknown_is_nothing() -> None:
    """A portable runner reports a counter that never counted as None."""
    ran = Ran(
        ("a", "rows", 2, 2),
        ("b", "rows", 3, 3),
        ("c", "rows", None, None),
        ("a", "letters", None, None),
        ("a", "tried", None, 4),
    )
    assert counters(cast(PipelineResult, ran)) == {"rows": 5, "letters": 0, "tried": 4}
