"""Scored posts -> hours, rolled up per topic and model."""

from __future__ import annotations

import apache_beam as beam

from pipelines.graph.modes.mode import Mode
from pipelines.graph.settings import Settings
from pipelines.transforms.aggregate import RolledUp
from pipelines.transforms.deduplicate import Candidate


def hours_of(
    candidates: beam.PCollection[Candidate], settings: Settings, mode: Mode
) -> beam.PCollection[RolledUp]:
    return candidates | "Aggregate" >> mode.roll_up(settings.threshold)
