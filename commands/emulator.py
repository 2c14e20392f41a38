"""The Pub/Sub emulator of the Google Cloud SDK, which needs no account."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mltox.base.errors import UserError

START_SECONDS = 30.0


class EmulatorError(UserError):
    """The emulator is not there, or does not start; one line for a person."""


def script() -> Path:
    """The emulator's start script, beside the SDK that `gcloud` belongs to."""
    gcloud = shutil.which("gcloud")
    if gcloud is not None:
        found = Path(gcloud).resolve().parents[1] / (
            "platform/pubsub-emulator/bin/cloud-pubsub-emulator"
        )
        if found.is_file():
            return found
    raise EmulatorError(
        "the Pub/Sub emulator is not installed: gcloud components install pubsub-emulator"
        " (Debian: apt-get install google-cloud-cli-pubsub-emulator)"
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running_emulator(port: int = 0) -> Iterator[str]:
    """Runs an emulator on this machine and yields its address, for PUBSUB_EMULATOR_HOST."""
    port = port or free_port()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            ["bash", str(script()), "--host=127.0.0.1", f"--port={port}"],
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            _wait(process, port)
            yield f"127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise EmulatorError(f"the Pub/Sub emulator ended with code {process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise EmulatorError(f"the Pub/Sub emulator did not start within {START_SECONDS:.0f} s")
