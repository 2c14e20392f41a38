from __future__ import annotations

from collections.abc import Iterator

import pytest

from templates.provisioning.names import Names
from templates.provisioning.rest import Rest
from tests.templates.provisioning.google_server import Google, serve

Local = tuple[Rest, Google, list[float]]


@pytest.fixture
def names() -> Names:
    return Names("some-project", "europe-west1")


@pytest.fixture
def local() -> Iterator[Local]:
    with serve() as made:
        yield made
