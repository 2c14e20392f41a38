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
from apache_beam.options.pipeline_options import (
    DirectOptions,
    PipelineOptions,
    SetupOptions,
    StandardOptions,
)
from apache_beam.portability.api import beam_runner_api_pb2
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.runner import PipelineResult, PipelineRunner

from mltox.base.errors import UsageError, UserError

IN_PROCESS = "FnApiRunner, in this process"
MANY_PROCESSES = "multi_processing"
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


def leaves_process(options: PipelineOptions) -> bool:
    """Whether stages run in other processes than this one."""
    return (
        options.view_as(StandardOptions).runner not in LOCAL_NAMES
        or options.view_as(DirectOptions).direct_running_mode == MANY_PROCESSES
    )


def carrier_of(options: PipelineOptions) -> str:
    """What carries the stages of a run that leaves this process, in a person's words."""
    name = options.view_as(StandardOptions).runner
    return f"--direct_running_mode={MANY_PROCESSES}" if name in LOCAL_NAMES else str(name)


def on_dataflow(options: PipelineOptions) -> bool:
    name = options.view_as(StandardOptions).runner or ""
    return name.lower().removesuffix("runner") == "dataflow"


@contextmanager
def bounded_pipeline(options: PipelineOptions) -> Iterator[beam.Pipeline]:
    """A pipeline that runs when the block ends, and is waited for.

    Not on Dataflow: the launcher of a template must not wait for its job, and nobody else needs to.
    Its `result` is there afterwards. Raises RunnerError, UsageError for a name of no runner.
    """
    # Beam would pickle the launcher's main module for the workers otherwise.
    options.view_as(SetupOptions).save_main_session = False
    try:
        pipeline = beam.Pipeline(runner=bounded_runner(options), options=options)
    except ValueError as error:  # a name of no runner
        raise UsageError(f"--runner: {str(error).partition('. ')[0]}") from error
    yield pipeline
    pipeline.result = _ran(pipeline, options)


class RunnerError(UserError):
    """A runner that can't be started, or whose job failed, in one line."""


def _ran(pipeline: beam.Pipeline, options: PipelineOptions) -> PipelineResult:
    """Raises RunnerError where it is another process that says what went wrong; what a stage of
    this one raises comes as it is."""
    try:
        result = pipeline.run()
        if not on_dataflow(options):
            result.wait_until_finish()
    except UserError:
        raise
    except Exception as error:  # each runner has errors of its own
        if not leaves_process(options):
            raise
        log.debug("the run failed", exc_info=True)
        said = [line.strip() for line in str(error).splitlines() if line.strip()]
        reason = said[-1] if said else type(error).__name__
        raise RunnerError(f"{carrier_of(options)}: {reason}") from error
    return result


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
