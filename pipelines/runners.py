"""Which runner carries a local run.

Beam's `DirectRunner` is a switch: it tries to download Prism, falls back to another runner without
a word, and so behaves differently from machine to machine. Here the name always means the same.
"""

from __future__ import annotations

import logging
from functools import cache

from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.runner import PipelineRunner

LOCAL_NAMES = frozenset({None, "DirectRunner", "FnApiRunner"})

log = logging.getLogger(__name__)


def bounded_runner(options: PipelineOptions) -> PipelineRunner | str:
    """The in-process FnApiRunner for a local run, else the name that the person gave."""
    name = options.view_as(StandardOptions).runner
    if name in LOCAL_NAMES:
        announce(f"FnApiRunner, in this process{f' (asked for {name})' if name else ''}")
        return FnApiRunner()
    announce(str(name))
    return str(name)


@cache
def announce(name: str) -> None:
    """Logs the runner, once a process however many runs it makes."""
    log.info("runner: %s", name)
