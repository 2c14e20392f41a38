"""How a command ends: with its exit code, and one line where a person can mend something."""

from __future__ import annotations

from collections.abc import Callable

from mltox.base.errors import UserError
from mltox.base.interrupts import said
from mltox.base.logs import say, set_up

EXIT_USAGE = 2


def reporting_errors(command: Callable[[], int]) -> int:
    """Runs the command. A `UserError` is one line on standard error and exit code 2; anything else
    is a defect and keeps its traceback."""
    set_up()
    try:
        return command()
    except UserError as error:
        say(str(error))
        return EXIT_USAGE
    except KeyboardInterrupt as error:
        return said(error)
