"""`mltox stream` as a process of its own, and how a drill waits for it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Self

from mltox.google.pubsub.subscription import LEASE_SECONDS
from tests.integration.pubsub import SUBSCRIPTION, environment

REDELIVERED = LEASE_SECONDS + 12
"""Seconds after which Pub/Sub has delivered again what a process that was killed held."""
AT_MOST = 600.0
"""Seconds until a drill gives up: a machine may be slow."""


class Live:
    """Writes what it says to the end of `log`. `more` are further options. A context manager: the
    process does not outlive the test."""

    def __init__(self, warehouse: Path, address: str, log: Path, *more: str) -> None:
        command = [sys.executable, "-m", "mltox", "stream", "--input_subscription", SUBSCRIPTION,
                   "--warehouse", str(warehouse), "--disorder_minutes", "150",
                   *(more or ("--topic", "everything"))]  # fmt: skip
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command, env=environment(address), stdout=output, stderr=output
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """Ctrl-C."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(120)


def wait_until(condition: Callable[[], bool], log: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s:\n{log.read_text()[-3000:]}")
        time.sleep(0.2)


def wait_for(log: Path, pattern: str, seconds: float = AT_MOST) -> str:
    """Until the log says it; returns the words."""
    wait_until(lambda: re.search(pattern, log.read_text()) is not None, log, seconds)
    found = re.search(pattern, log.read_text())
    assert found is not None
    return found[0]


class Told(NamedTuple):
    """What the turns that the log tells of brought."""

    posts: int
    letters: int


def told(log: Path) -> Told:
    turns = re.findall(r"(\d+) posts, \d+ duplicates, (\d+) dead letters", log.read_text())
    return Told(sum(int(posts) for posts, _ in turns), sum(int(letters) for _, letters in turns))


def wait_for_all(log: Path, posts: int, letters: int, seconds: float = AT_MOST) -> None:
    """Until so many posts are kept, which is each once, and at least so many dead letters."""
    wait_until(lambda: told(log).posts >= posts and told(log).letters >= letters, log, seconds)


def has_settled(log: Path) -> bool:
    """Whether the last turn was one without messages: it closed the hours that were due."""
    turns: list[str] = re.findall(r"(\d+) rows: ", log.read_text())
    return turns[-1:] == ["0"]


def wait_for_quiet(log: Path, seconds: float = REDELIVERED, at_most: float = AT_MOST) -> None:
    """Until no turn was made for so long. A process may be slow to start, so it waits for a first
    word before that."""
    last = [log.stat().st_size, time.monotonic()]

    def quiet() -> bool:
        now = time.monotonic()
        if (size := log.stat().st_size) != last[0]:
            last[:] = [size, now]
        return size > 0 and now - last[1] > seconds

    wait_until(quiet, log, at_most)
