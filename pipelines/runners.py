"""Which runner carries a bounded run, and whether it is waited for.

Beam's `DirectRunner` is a switch: it tries to download Prism, falls back to another runner without
a word, and so behaves differently from machine to machine. Here the name always means the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions, SetupOptions, StandardOptions
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.runner import PipelineResult, PipelineRunner

IN_PROCESS = "FnApiRunner, in this process"
LOCAL_NAMES = frozenset({None, "DirectRunner", "FnApiRunner"})

log = logging.getLogger(__name__)


def bounded_runner(options: PipelineOptions) -> PipelineRunner | str:
    """The in-process FnApiRunner for a local run, else the name that the person gave."""
    name = options.view_as(StandardOptions).runner
    if name in LOCAL_NAMES:
        announce(f"{IN_PROCESS}{f' (asked for {name})' if name else ''}")
        return FnApiRunner()
    announce(str(name))
    return str(name)


def on_dataflow(options: PipelineOptions) -> bool:
    name = options.view_as(StandardOptions).runner or ""
    return name.lower().removesuffix("runner") == "dataflow"


@contextmanager
def bounded_pipeline(options: PipelineOptions) -> Iterator[beam.Pipeline]:
    """A pipeline that runs when the block ends, and is waited for.

    Not on Dataflow: the launcher of a template must not wait for its job, and nobody else needs to.
    """
    # Beam would pickle the launcher's main module for the workers otherwise.
    options.view_as(SetupOptions).save_main_session = False
    pipeline = beam.Pipeline(runner=bounded_runner(options), options=options)
    yield pipeline
    result = pipeline.run()
    if not on_dataflow(options):
        result.wait_until_finish()


class RepeatingRunner(FnApiRunner):
    """Runs its pipeline, and the same graph again without building it again.

    For that it keeps the graph as Beam's portable description, which no run changes.
    """

    def __init__(self) -> None:
        super().__init__()
        announce(IN_PROCESS)
        self._again: Callable[[], PipelineResult] | None = None

    def run_via_runner_api(
        self, pipeline_proto: beam_runner_api_pb2.Pipeline, options: PipelineOptions
    ) -> PipelineResult:
        run = super().run_via_runner_api
        self._again = lambda: run(pipeline_proto, options)
        return self._again()

    def repeat(self) -> PipelineResult | None:
        """None before the first run."""
        return self._again() if self._again is not None else None


@cache
def announce(name: str) -> None:
    """Logs the runner, once a process however many runs it makes."""
    log.info("runner: %s", name)
