"""Topics that fell silent before the input ended."""

from __future__ import annotations

from collections.abc import Mapping

from mltox.base.clock import datetime_of
from mltox.detection.monitor import TopicMonitor
from mltox.posts.records import HourlyToxicity, Micros
from mltox.warehouse import Warehouse, read_records
from pipelines.transforms.silence import silences


def judge_silence(warehouse: Warehouse, monitors: Mapping[str, TopicMonitor], now: Micros) -> int:
    """Judges each topic from its last post to the last hour that any topic has; returns how many
    anomalous hours were told.

    A silence that ended with a post was judged with that post. Changes the monitors. Raises
    WarehouseError.
    """
    seen = [each.last_hour for each in monitors.values() if each.last_hour is not None]
    if not seen:
        return 0
    rows = read_records(
        warehouse,
        "latest_hourly_toxicity",
        HourlyToxicity,
        where="hour > ? AND posts > 0",
        params=(datetime_of(min(seen)),),
    )
    newest: dict[str, Micros] = {}
    for row in rows:
        newest[row.topic] = max(newest.get(row.topic, row.hour), row.hour)
    quiet = [
        monitor
        for topic, monitor in monitors.items()
        if monitor.last_hour is not None and newest.get(topic, 0) <= monitor.last_hour
    ]
    found = silences(quiet, (row.hour for row in rows), now)
    warehouse.upsert("anomalies", found)
    return len(found)
