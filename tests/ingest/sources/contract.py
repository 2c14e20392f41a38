"""What every source promises, as tests that the test of each source takes over:

class TestBluesky(SourceContract):
    @pytest.fixture
    def case(self) -> Iterator[Case]:
        with jetstream_server.serving(EVENTS) as address:
            yield Case("bluesky", ["--host", address], POST_IDS, ends=False)
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ingest.sources import registry
from ingest.sources.source import Batch, Cursor, Source
from mltox.base.errors import UserError
from mltox.posts.authors import AuthorKeys
from mltox.posts.envelope import Envelope
from mltox.posts.formats import decode
from mltox.posts.topics import Topic

AUTHORS = AuthorKeys(b"a secret of the tests")
SECONDS = 30.0
"""A machine under load is no failure."""
_SECRET_WORDS = ("token", "secret", "key", "password", "bearer")


@dataclass(frozen=True)
class Case:
    """A source and what it is to give.

    `arguments` are its options on the command line. `post_ids` are those of its posts in order,
    from an empty cursor, each once; what it reads must be there again whenever it is opened anew.
    `ends`: it ends by itself when it has given them all. `secrets` are the environment variables
    that hold its keys, with values for the test.
    """

    name: str
    arguments: Sequence[str]
    post_ids: Sequence[str]
    ends: bool = True
    secrets: Mapping[str, str] = field(default_factory=dict)
    topics: Sequence[Topic] = ()


def opened(case: Case, state: Path) -> Source:
    """The source as `mltox ingest` opens it."""
    module = registry.source_module(case.name)
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    options = parser.parse_args(case.arguments)
    options.state = str(state)
    return module.open_source(options, lambda: case.topics)


def posts_of(payloads: Iterable[bytes]) -> list[str]:
    now = time.time_ns() // 1000
    items = (item for each in payloads for item in decode(each, authors=AUTHORS, now=now))
    return [item.post_id for item in items if isinstance(item, Envelope)]


@contextmanager
def reading(source: Source, cursor: Cursor) -> Iterator[tuple[Iterator[Batch], threading.Event]]:
    """A generator that is closed, and stopped if it hangs."""
    stopping = threading.Event()
    watchdog = threading.Timer(SECONDS, stopping.set)
    watchdog.start()
    batches = source.read(cursor, stopping)
    try:
        yield batches, stopping
    finally:
        watchdog.cancel()
        stopping.set()
        for _ in batches:  # it ends, or this hangs
            pass


def read_until(
    source: Source, cursor: Cursor, enough: Callable[[list[Batch]], bool]
) -> list[Batch]:
    """Batches from the cursor on, until they are enough or there are no more."""
    found: list[Batch] = []
    with reading(source, cursor) as (batches, stopping):
        for batch in batches:
            assert not stopping.is_set(), f"not within {SECONDS:.0f} s: {found}"
            found.append(batch)
            if enough(found):
                break
    return found


def resumed_at(cursor: Cursor, batches: Sequence[Batch]) -> Cursor:
    """The cursor once these batches are confirmed."""
    moved = dict(cursor)
    for batch in batches:
        moved.update(batch.cursor or {})
    return moved


class SourceContract:
    """The promises. A test class gives the fixture `case`."""

    @pytest.fixture(autouse=True)
    def _keys(self, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in case.secrets.items():
            monkeypatch.setenv(name, value)

    def _all(self, case: Case, state: Path, cursor: Cursor, last: Sequence[str]) -> list[Batch]:
        """Batches until those posts that are still to come have come."""
        wanted = set(last)

        def enough(found: list[Batch]) -> bool:
            seen = posts_of(payload for batch in found for payload in batch.payloads)
            return not case.ends and wanted <= set(seen)

        return read_until(opened(case, state), cursor, enough)

    def test_all_posts_come_in_their_order(self, case: Case, tmp_path: Path) -> None:
        batches = self._all(case, tmp_path, {}, case.post_ids)
        seen = posts_of(payload for batch in batches for payload in batch.payloads)
        assert list(dict.fromkeys(seen)) == list(case.post_ids)

    def test_killed_at_any_moment_nothing_is_lost(self, case: Case, tmp_path: Path) -> None:
        """At every batch: all before it are confirmed and its cursor is stored, it and those behind
        it are not; what was read then comes again, under the same ids."""
        whole = self._all(case, tmp_path, {}, case.post_ids)
        for kept in range(len(whole) + 1):
            before = posts_of(payload for batch in whole[:kept] for payload in batch.payloads)
            missing = [each for each in case.post_ids if each not in set(before)]
            if not missing and not case.ends:
                break  # nothing more to wait for
            cursor = resumed_at({}, whole[:kept])
            batches = self._all(case, tmp_path, cursor, missing)
            after = posts_of(payload for batch in batches for payload in batch.payloads)
            assert set(case.post_ids) == {*before, *after}
            again = [each for each in dict.fromkeys(after) if each in set(missing)]
            assert again == missing

    def test_sigterm_ends_the_reading(self, case: Case, tmp_path: Path) -> None:
        source, stopping = opened(case, tmp_path), threading.Event()
        before = signal.signal(signal.SIGTERM, lambda *_: stopping.set())
        try:
            deadline = time.monotonic() + SECONDS
            for _ in source.read({}, stopping):
                if not stopping.is_set():
                    os.kill(os.getpid(), signal.SIGTERM)
                assert time.monotonic() < deadline
        finally:
            signal.signal(signal.SIGTERM, before)

    def test_a_quiet_source_gives_the_reader_time(self, case: Case, tmp_path: Path) -> None:
        """Whoever reads acts between two batches, so there are some, or the end, without posts."""
        quiet = 0

        def enough(found: list[Batch]) -> bool:
            nonlocal quiet
            quiet = 0 if found[-1].payloads else quiet + 1
            return quiet == 2

        batches = read_until(opened(case, tmp_path), {}, enough)
        assert case.ends or not batches[-1].payloads

    def test_keys_are_no_options(self, case: Case) -> None:
        parser = argparse.ArgumentParser()
        registry.source_module(case.name).add_arguments(parser)
        for action in parser._actions:
            for word in _SECRET_WORDS:
                assert not any(word in option for option in action.option_strings)

    def test_a_key_that_is_missing_is_named(
        self, case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in case.secrets:
            with monkeypatch.context() as patch:
                patch.delenv(name)
                patch.delenv(f"{name}_SECRET", raising=False)
                with pytest.raises(UserError, match=rf"\b{name}\b") as raised:
                    read_until(opened(case, tmp_path), {}, lambda _: True)
            assert not any(value in str(raised.value) for value in case.secrets.values())

    def test_no_key_is_logged(
        self, case: Case, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.DEBUG):
            self._all(case, tmp_path, {}, case.post_ids)
        assert not any(value in caplog.text for value in case.secrets.values())
