"""How a process ends that somebody asks to: Ctrl-C, or SIGTERM from whoever started it.

Both unwind the stack from where the main thread is, so that files and tables are closed. Where that
takes longer than a person waits (a library that goes on in threads of its own), the process ends
without: the tables stand it, as they do a kill.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

from mltox.base.logs import say
from mltox.base.scratch import remove_all

PATIENCE = 5.0
"""Seconds for unwinding."""
INTERRUPTED = "interrupted; run the same command again to finish"
EXIT_INTERRUPTED, EXIT_TERMINATED = 130, 143


class Terminated(KeyboardInterrupt):
    """SIGTERM, which ends a command as Ctrl-C does."""


def exit_code(error: KeyboardInterrupt) -> int:
    return EXIT_TERMINATED if isinstance(error, Terminated) else EXIT_INTERRUPTED


def told_interrupted(error: KeyboardInterrupt) -> int:
    """Says in a line that the command was interrupted; returns its exit code."""
    logging.disable(logging.NOTSET)
    say(INTERRUPTED)
    return exit_code(error)


def run_until_interrupted(command: Callable[[], int]) -> int:
    """Runs the outermost call of a process. An interrupt is raised in it, ends it after PATIENCE
    seconds at the latest, and is the exit code of the process whatever the command makes of it.

    A command that sets handlers of its own has them.
    """
    told: list[int] = []

    def end(number: int, _: FrameType | None) -> None:
        error = Terminated() if number == signal.SIGTERM else KeyboardInterrupt()
        if not told:
            logging.disable()  # what a library says of it is no news
            told.append(exit_code(error))
            timer = threading.Timer(PATIENCE, leave, (told[0], INTERRUPTED))
            timer.daemon = True
            timer.start()
        raise error

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        code = command()
    except KeyboardInterrupt as error:
        code = told_interrupted(error)
    except BaseException:
        if not told:
            raise
        code = -1  # an interrupt that something on its way has made an error of its own
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if told:
        leave(told[0], "" if code == told[0] else INTERRUPTED)
    return code


@contextmanager
def handling(calls: Mapping[signal.Signals, Callable[[], None]]) -> Iterator[None]:
    """Calls these on their signals, and as before after it. For the main thread only."""
    before = {
        number: signal.signal(number, lambda *_, call=call: call())
        for number, call in calls.items()
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def stopping_on_signals(
    told: Callable[[], None] = lambda: None, on_hangup: Callable[[], None] | None = None
) -> Iterator[threading.Event]:
    """SIGINT and SIGTERM set the event, after `told`, for what has to come to an end in order."""
    stopping = threading.Event()

    def stop() -> None:
        told()
        stopping.set()

    calls = {signal.SIGINT: stop, signal.SIGTERM: stop}
    with handling(calls | ({signal.SIGHUP: on_hangup} if on_hangup else {})):
        yield stopping


_leaving = threading.Lock()


def leave(code: int, line: str) -> None:
    """Ends the process at once, whatever its threads do, and leaves no scratch folder."""
    with _leaving:
        logging.disable(logging.NOTSET)
        if line:
            say(line)
        remove_all()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
