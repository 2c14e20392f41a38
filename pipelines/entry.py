"""How a command ends: with its exit code, and one line where a person can mend something."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

from ingest.authors import AuthorKeyError
from ingest.files import InputError
from ingest.topics import TopicError
from pipelines.arguments import UsageError
from pipelines.toxicity import BundleError
from pipelines.warehouse import WarehouseError

USER_ERRORS: tuple[type[Exception], ...] = (
    AuthorKeyError,
    BundleError,
    InputError,
    TopicError,
    UsageError,
    WarehouseError,
)
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


def reporting_errors(command: Callable[[], int], *more: type[Exception]) -> int:
    """Runs the command. What a person can mend is one line on standard error and exit code 2;
    anything else is a defect and keeps its traceback. `more` are further errors of the former kind.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("pipelines").setLevel(logging.INFO)
    try:
        return command()
    except (*USER_ERRORS, *more) as error:
        print(f"mltox: {error}", file=sys.stderr)
        return EXIT_USAGE
    except KeyboardInterrupt:
        print("mltox: interrupted; run the same command again to finish", file=sys.stderr)
        return EXIT_INTERRUPTED
