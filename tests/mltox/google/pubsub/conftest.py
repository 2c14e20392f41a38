from __future__ import annotations

from collections.abc import Iterator

import pytest

from mltox.google.pubsub import EMULATOR
from tests.mltox.google.pubsub.server import Server, serving


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    made = Server([b"one", b"two"])
    with serving(made) as address:
        monkeypatch.setenv(EMULATOR, address)
        yield made
