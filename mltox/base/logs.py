"""How a run logs: lines for a person, or JSON objects for a collector.

No line holds a secret of the process, whoever quotes it. No line holds a post's text: ours name
counts and resources, and of an exception JSON logs give its type and where it was raised, but not
its message, which may quote what was being worked on.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from enum import StrEnum
from typing import TextIO

from mltox.base.own_secrets import without_secrets

PACKAGES = (
    "commands",
    "dashboards",
    "ingest",
    "mltox",
    "model_export",
    "pipelines",
    "serving",
    "templates",
)
"""Ours, by whose names their modules log."""
FOR_A_PERSON = "%(levelname)s %(name)s: %(message)s"


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


class JsonFormatter(logging.Formatter):
    """One object a line, with the names that Google Cloud's logging knows.

    `time` (RFC 3339, UTC), `severity`, `logger`, `message`; of an exception `error` (its type) and
    `frames` (file:line function, the innermost last).
    """

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "severity": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0] is not None:
            kind, _, trace = record.exc_info
            entry["error"] = kind.__name__
            entry["frames"] = [
                f"{frame.filename}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(trace)
            ]
        return without_secrets(json.dumps(entry, default=str))


class PlainFormatter(logging.Formatter):
    """Lines for a person."""

    def format(self, record: logging.LogRecord) -> str:
        return without_secrets(super().format(record))


def set_up(log_format: LogFormat | None = None) -> None:
    """Logs of this process go to standard error, ours from INFO on, others' from WARNING on.

    Without a format they are as an earlier call has set them up, and lines for a person where there
    was none.
    """
    for ours in PACKAGES:
        logging.getLogger(ours).setLevel(logging.INFO)
    if log_format is None and _handlers():
        return
    as_json = log_format is LogFormat.JSON
    handler = _OurHandler()
    handler.setFormatter(JsonFormatter() if as_json else PlainFormatter(FOR_A_PERSON))
    root = logging.getLogger()
    for other in root.handlers[:] if as_json else _handlers():
        root.removeHandler(other)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.captureWarnings(as_json)


class _OurHandler(logging.StreamHandler[TextIO]):
    """To standard error."""


def _handlers() -> list[logging.Handler]:
    return [each for each in logging.getLogger().handlers if isinstance(each, _OurHandler)]


def say(line: str) -> None:
    """The last word of a run that failed: a line on standard error, in the format of the logs."""
    if any(isinstance(each.formatter, JsonFormatter) for each in logging.getLogger().handlers):
        logging.getLogger("mltox").error("%s", line)
    else:
        print(without_secrets(f"mltox: {line}"), file=sys.stderr)


def log_format_argument(parser: argparse._ActionsContainer) -> None:
    parser.add_argument(
        "--log_format",
        choices=[choice.value for choice in LogFormat],
        default=LogFormat.TEXT.value,
        help="Logs as text, or as JSON with one object a line. Default: %(default)s",
    )
