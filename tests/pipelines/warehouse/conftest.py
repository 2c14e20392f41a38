from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from google.auth.credentials import AnonymousCredentials

from pipelines.warehouse import Warehouse, open_warehouse
from tests.bigquery_server import Backend, serve


@pytest.fixture
def duck(tmp_path: Path) -> Iterator[Warehouse]:
    with open_warehouse(str(tmp_path / "posts.duckdb")) as warehouse:
        warehouse.create()
        yield warehouse


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    with serve() as (address, backend):
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", address)
        monkeypatch.setenv("NO_GCE_CHECK", "true")
        yield backend


@pytest.fixture
def big(backend: Backend) -> Iterator[Warehouse]:
    with open_warehouse("bq://some-project.mltox") as warehouse:
        warehouse.create()
        yield warehouse


@pytest.fixture
def anonymous(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beam's own client looks for credentials even where BIGQUERY_EMULATOR_HOST is set."""
    credentials = AnonymousCredentials()
    monkeypatch.setattr("google.auth.default", lambda *_, **__: (credentials, "some-project"))
