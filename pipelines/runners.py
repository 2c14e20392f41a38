"""Which runner carries a local run.

Beam's `DirectRunner` is a switch: it tries to download Prism, falls back to another runner without
a word, and so behaves differently from machine to machine. Here the name always means the same.
"""

from __future__ import annotations

import logging

from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from apache_beam.runners.runner import PipelineRunner

LOCAL_NAMES = frozenset({None, "DirectRunner", "FnApiRunner"})

log = logging.getLogger(__name__)


def is_local(options: PipelineOptions) -> bool:
    return options.view_as(StandardOptions).runner in LOCAL_NAMES


def bounded_runner(options: PipelineOptions) -> PipelineRunner | str:
    """The in-process FnApiRunner for a local run, else the name that the person gave."""
    name = options.view_as(StandardOptions).runner
    if not is_local(options):
        log.info("runner: %s", name)
        return str(name)
    log.info("runner: FnApiRunner, in this process%s", f" (asked for {name})" if name else "")
    return FnApiRunner()
