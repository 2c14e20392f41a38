"""What the tests of ingest share."""

from __future__ import annotations

from collections.abc import Callable

import hypothesis
import orjson
import pytest

from ingest.authors import AuthorKeys
from ingest.envelope import Envelope, Reject
from ingest.formats import decode

NOW = 1_767_225_600_000_000
"""2026-01-01T00:00:00Z."""

# A machine under load is no failure.
hypothesis.settings.register_profile("no deadline", deadline=None)
hypothesis.settings.load_profile("no deadline")

Decoded = list[Envelope | Reject]


@pytest.fixture(scope="session")
def authors() -> AuthorKeys:
    return AuthorKeys(b"a secret of the tests")


@pytest.fixture(scope="session")
def decoded(authors: AuthorKeys) -> Callable[[object], Decoded]:
    """Decodes bytes, or anything else as JSON, on New Year's Day of 2026."""

    def run(message: object) -> Decoded:
        payload = message if isinstance(message, bytes) else orjson.dumps(message)
        return list(decode(payload, authors=authors, now=NOW))

    return run


@pytest.fixture(scope="session")
def post(decoded: Callable[[object], Decoded]) -> Callable[[object], Envelope]:
    """Decodes a message that holds one good post."""

    def run(message: object) -> Envelope:
        items = decoded(message)
        assert len(items) == 1
        assert isinstance(items[0], Envelope), items[0]
        return items[0]

    return run


@pytest.fixture(scope="session")
def reject(decoded: Callable[[object], Decoded]) -> Callable[[object], Reject]:
    """Decodes a message that holds one thing that is no usable post."""

    def run(message: object) -> Reject:
        items = decoded(message)
        assert len(items) == 1
        assert isinstance(items[0], Reject), items[0]
        return items[0]

    return run
