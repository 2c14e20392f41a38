"""How a command ends where the machine, or a person, can mend something."""

from __future__ import annotations

import errno
import os

import pytest

from mltox.base.entry import reporting_errors
from mltox.base.errors import UserError
from mltox.base.interrupts import Terminated


def ends(error: BaseException, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    def command() -> int:
        raise error

    code = reporting_errors(command)
    return code, capsys.readouterr().err.splitlines()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.ENOENT])
def test_what_the_machine_refuses_is_one_line(
    number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    error = OSError(number, os.strerror(number), "/some/file")
    assert ends(error, capsys) == (2, [f"mltox: {os.strerror(number).lower()}: /some/file"])


def test_a_full_disk_has_no_name(capsys: pytest.CaptureFixture[str]) -> None:
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert ends(error, capsys) == (2, ["mltox: no space left on device"])


def test_other_errors_keep_their_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    for error in (ValueError("x"), FileNotFoundError(errno.ENOENT, "x"), OSError("x")):
        with pytest.raises(type(error)):
            ends(error, capsys)


def test_what_a_person_can_mend_and_an_interrupt(capsys: pytest.CaptureFixture[str]) -> None:
    assert ends(UserError("--port: no port"), capsys) == (2, ["mltox: --port: no port"])
    assert ends(KeyboardInterrupt(), capsys)[0] == 130
    assert ends(Terminated(), capsys)[0] == 143
