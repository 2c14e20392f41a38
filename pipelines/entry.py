"""How a command ends: with its exit code, and one line where a person can mend something."""

from __future__ import annotations

from collections.abc import Callable

from ingest.authors import AuthorKeyError
from ingest.files import InputError
from ingest.topics import TopicError
from pipelines.arguments import UsageError
from pipelines.logs import LogFormat, say, set_up
from pipelines.preflight import PreflightError
from pipelines.toxicity import BundleError
from pipelines.warehouse import WarehouseError

USER_ERRORS: tuple[type[Exception], ...] = (
    AuthorKeyError,
    BundleError,
    InputError,
    PreflightError,
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
    set_up(LogFormat.TEXT)  # where the command line said nothing else
    try:
        return command()
    except (*USER_ERRORS, *more) as error:
        say(str(error))
        return EXIT_USAGE
    except KeyboardInterrupt:
        say("interrupted; run the same command again to finish")
        return EXIT_INTERRUPTED
