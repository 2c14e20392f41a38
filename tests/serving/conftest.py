from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.testclient import TestClient

from mltox.scoring.scale.maps import ScoreMap, ScoreMaps
from serving.app import build
from serving.engine import DEFAULT_BUNDLE, Engine
from serving.feedback import open_feedback
from serving.keys import Keys
from serving.service import DEFAULT_LIMITS, ContractService, Limits

ANALYZE = "/v1alpha1/comments:analyze"
SUGGEST = "/v1alpha1/comments:suggestscore"
STARTED = re.compile(r"serving at (https?)://127\.0\.0\.1:(\d+)")


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engine(str(DEFAULT_BUNDLE), threads=1)


@pytest.fixture
def client(engine: Engine) -> Iterator[TestClient]:
    """A server on the model's own scale, without keys."""
    with serving(engine) as client:
        yield client


@contextmanager
def serving(
    engine: Engine,
    *,
    half: bool = False,
    keys: tuple[str, ...] = (),
    feedback: str | None = None,
    limits: Limits = DEFAULT_LIMITS,
    **options: Any,
) -> Iterator[TestClient]:
    """A client of an application in this process; `half` halves TOXICITY by a score map."""
    halved = ScoreMap("TOXICITY", "toxicity", ((0.0, 0.0), (1.0, 0.5)))
    scale = ScoreMaps(engine.sha256, {"TOXICITY": halved}, {}) if half else None
    service = ContractService(
        engine, scale, keys=Keys(keys), keep=open_feedback(feedback), limits=limits
    )
    with TestClient(build(service, **options)) as client:
        yield client


def ask(text: str = "You are an idiot.", *attributes: str, **more: Any) -> dict[str, Any]:
    """The JSON of an analyze request."""
    requested: dict[str, Any] = {name: {} for name in attributes or ("TOXICITY",)}
    return {"comment": {"text": text}, "requestedAttributes": requested, **more}


class Process:
    """`mltox serve` as a process of its own, at a free port of this machine."""

    def __init__(self, arguments: tuple[str, ...]) -> None:
        command = [sys.executable, "-m", "mltox", "serve", "--port", "0", *arguments]
        self.popen = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.popen.stderr is not None
        self.lines: list[str] = []
        for line in self.popen.stderr:
            self.lines.append(line)
            if found := STARTED.search(line):
                self.scheme, self.port = found[1], int(found[2])
                return
        raise AssertionError("".join(self.lines))

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def stop(self) -> str:
        """Asks it to stop; everything that it logged."""
        self.popen.terminate()
        _, rest = self.popen.communicate(timeout=30)
        return "".join([*self.lines, rest])


@pytest.fixture
def start() -> Iterator[Callable[..., Process]]:
    """Starts servers, and stops them when the test ends."""
    started: list[Process] = []

    def begin(*arguments: str) -> Process:
        started.append(Process(arguments))
        return started[-1]

    yield begin
    for process in started:
        if process.popen.poll() is None:
            process.stop()


@pytest.fixture(scope="module")
def server() -> Iterator[Process]:
    """One server for the tests of a module, on the model's own scale."""
    process = Process(("--scale", "model", "--threads", "1"))
    yield process
    process.stop()
