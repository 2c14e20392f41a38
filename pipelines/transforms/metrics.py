"""The pipeline's Beam metrics by name, and how a finished run's counters are read."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from apache_beam.metrics import Metrics, MetricsFilter
from apache_beam.metrics.metricbase import Counter, Distribution
from apache_beam.runners.runner import PipelineResult

NAMESPACE = "mltox"

log = logging.getLogger(__name__)


def counter(name: str) -> Counter:
    return Metrics.counter(NAMESPACE, name)


def distribution(name: str) -> Distribution:
    return Metrics.distribution(NAMESPACE, name)


def counters(result: PipelineResult) -> Mapping[str, int]:
    """Counter name -> sum over all steps; empty where the runner has no metrics. A counter that
    never counted is None to some runners."""
    sums: dict[str, int] = {}
    try:
        metrics = result.metrics()
    except (NotImplementedError, AttributeError, RuntimeError) as error:
        log.warning("this runner has no metrics (%s)", error)
        return sums
    if metrics is None:
        return sums
    for found in metrics.query(MetricsFilter().with_namespace(NAMESPACE))["counters"]:
        name = found.key.metric.name
        sums[name] = sums.get(name, 0) + (found.result or 0)
    return sums
