"""The three jobs as Dataflow gets them, offline."""

from __future__ import annotations

from pathlib import Path

import pytest
from apache_beam.internal import pickler

from tests.templates.graphs import PIPELINES, pickles, step_names

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.mark.parametrize("name", ["backfill", "forecast"])
def test_steps_have_the_names_that_dashboards_and_alerts_know(name: str) -> None:
    """Where one is new or meant to go: python -m tests.templates.graphs NAME > FILE."""
    assert step_names(PIPELINES[name]()) == (GOLDEN / f"{name}_steps.txt").read_text().splitlines()


@pytest.mark.parametrize("name", PIPELINES)
def test_the_job_can_be_made_without_a_network(name: str) -> None:
    """All that a launch does but for sending it: every step can be pickled and described."""
    job = PIPELINES[name]().run().job.proto
    streaming = name == "streaming"
    assert job.type_.name == ("JOB_TYPE_STREAMING" if streaming else "JOB_TYPE_BATCH")


@pytest.mark.parametrize("name", PIPELINES)
def test_no_step_holds_the_main_module(name: str) -> None:
    """A worker's main module is another one, and what is pickled of it cannot be found there."""
    found = pickles(PIPELINES[name]().to_runner_api().SerializeToString())
    assert len(found) > 10
    assert [each for each in found if b"__main__" in each] == []


def test_a_step_of_the_main_module_would_be_seen() -> None:
    of_main: dict[str, object] = {"__name__": "__main__"}
    exec("def double(x): return 2 * x", of_main)
    (found,) = pickles(pickler.dumps(of_main["double"]))
    assert b"__main__" in found
