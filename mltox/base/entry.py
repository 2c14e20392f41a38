"""How a command ends: with its exit code, and one line where a person can mend something."""

from __future__ import annotations

import errno
from collections.abc import Callable

from mltox.base.errors import UserError
from mltox.base.interrupts import told_interrupted
from mltox.base.logs import say, set_up

EXIT_USAGE = 2
OF_THE_MACHINE = frozenset(
    (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EMFILE, errno.EFBIG)
)
"""A full disk, a folder that may not be written, …: nothing that a traceback would explain."""
OF_A_NAME = frozenset(
    (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP)
)
"""The same, of a file that the error names."""


def reporting_errors(command: Callable[[], int]) -> int:
    """Runs the command. A `UserError`, and what the machine refuses, is one line on standard error
    and exit code 2; anything else is a defect and keeps its traceback."""
    set_up()
    try:
        return command()
    except UserError as error:
        say(str(error))
        return EXIT_USAGE
    except OSError as error:
        if not (error.errno in OF_THE_MACHINE or (error.filename and error.errno in OF_A_NAME)):
            raise
        where = f": {error.filename}" if error.filename else ""
        say(f"{(error.strerror or str(error)).lower()}{where}")
        return EXIT_USAGE
    except KeyboardInterrupt as error:
        return told_interrupted(error)
