"""Ctrl-C and SIGTERM: one line, their code, soon, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from mltox.base.interrupts import stopping_on_signals

NICE = "time.sleep(60)"
SWALLOWS = """
for _ in range(60):
    try: time.sleep(60)
    except KeyboardInterrupt: pass
"""
OTHER_THREAD = """
import threading
threading.Thread(target=time.sleep, args=(60,)).start()
time.sleep(60)
"""
FAILS_OVER_IT = """
try: time.sleep(60)
except KeyboardInterrupt: raise UserError("the table is locked")
"""
WRAPS_IT = """
try: time.sleep(60)
except BaseException as error:
    logging.getLogger("beam").exception("a stage failed")
    raise RuntimeError("while running a stage") from error
"""
COMMAND = """
import logging
import sys, time
from mltox.base import interrupts
from mltox.base.entry import reporting_errors
from mltox.base.errors import UserError
from mltox.base.scratch import scratch_folder
interrupts.PATIENCE = 0.5
def work():
    with scratch_folder() as folder:
        print("ready", flush=True)
        exec({code!r})
    return 0
sys.exit(interrupts.run_until_interrupted(lambda: reporting_errors(work)))
"""


@pytest.mark.parametrize("code", [NICE, SWALLOWS, OTHER_THREAD, WRAPS_IT])
@pytest.mark.parametrize(("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_command_ends(code: str, number: int, expected: int, tmp_path: Path) -> None:
    process, lines = interrupted(code, number, tmp_path)
    assert process.returncode == expected
    assert lines == ["mltox: interrupted; run the same command again to finish"]
    assert list(tmp_path.iterdir()) == []


def test_what_it_says_besides_does_not_change_the_code(tmp_path: Path) -> None:
    process, lines = interrupted(FAILS_OVER_IT, signal.SIGTERM, tmp_path)
    assert process.returncode == 143
    assert lines[-1] == "mltox: interrupted; run the same command again to finish"


def interrupted(code: str, number: int, folder: Path) -> tuple[subprocess.Popen[str], list[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND.format(code=code)],
        env={**os.environ, "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.2)
    process.send_signal(number)
    _, error = process.communicate(timeout=30)
    return process, error.splitlines()


def test_signals_stop_and_reload_and_go_back_to_what_they_were() -> None:
    reloaded = threading.Event()
    before = signal.getsignal(signal.SIGTERM)
    with stopping_on_signals(on_hangup=reloaded.set) as stopping:
        os.kill(os.getpid(), signal.SIGHUP)
        assert reloaded.wait(30) and not stopping.is_set()
        os.kill(os.getpid(), signal.SIGTERM)
        assert stopping.wait(30)
    assert signal.getsignal(signal.SIGTERM) is before
