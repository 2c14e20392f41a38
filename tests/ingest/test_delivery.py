"""The cursor and the outbox, with confirmations given by hand in any order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing
from pathlib import Path

import pytest
from google.api_core.exceptions import InvalidArgument, NotFound, ServiceUnavailable
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import delivery as module
from ingest.delivery import Delivery
from ingest.outbox import Outbox
from mltox.google.pubsub.messages import Outgoing
from mltox.google.pubsub.publisher import PublishError

DOWN = ServiceUnavailable("nobody there")


def message(number: int, topic: str = "projects/p/topics/posts") -> Outgoing:
    return Outgoing(topic, b"%d" % number, {})


class Wire:
    """Requests as they were sent, answered by the test."""

    def __init__(self) -> None:
        self.sent: list[tuple[list[int], Future[None]]] = []
        self.now = 0.0

    def send(self, messages: Sequence[Outgoing]) -> Future[None]:
        assert len({each.topic for each in messages}) == 1
        future: Future[None] = Future()
        self.sent.append(([int(each.data) for each in messages], future))
        return future

    def answer(self, error: Exception | None = None, at: int = 0) -> list[int]:
        """Takes or refuses the request that has waited longest."""
        numbers, future = self.sent.pop(at)
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
        return numbers


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with closing(Outbox(tmp_path)) as outbox:
        yield outbox


def test_the_cursor_waits_for_all_before_it(wire: Wire) -> None:
    delivery = Delivery(wire.send, None)
    for number in range(3):
        delivery.add([message(number)], {"a": str(number)})
    assert delivery.settle() == {}
    wire.answer(at=1)
    assert delivery.settle() == {}
    wire.answer(at=0)
    assert delivery.settle() == {"a": "1"}
    wire.answer()
    assert delivery.settle() == {"a": "2"}
    assert delivery.settled and delivery.counts["published"] == 3


def test_a_batch_without_messages_moves_the_cursor_in_its_turn(wire: Wire) -> None:
    delivery = Delivery(wire.send, None)
    delivery.add([message(0)], {"a": "1"})
    delivery.add([], {"b": "5"})
    delivery.add([], None)
    assert delivery.settle() == {}
    wire.answer()
    assert delivery.settle() == {"a": "1", "b": "5"}


def test_topics_of_pub_sub_go_in_requests_of_their_own(wire: Wire) -> None:
    delivery = Delivery(wire.send, None)
    deleted = message(1, "projects/p/topics/deletions")
    delivery.add([message(0), deleted, message(2)], {"a": "1"})
    assert sorted(numbers for numbers, _ in wire.sent) == [[0, 2], [1]]
    wire.answer()
    assert delivery.settle() == {}
    wire.answer()
    assert delivery.settle() == {"a": "1"}


def test_a_busy_source_fills_its_requests(wire: Wire) -> None:
    delivery = Delivery(wire.send, None)
    for number in range(1_200):
        delivery.add([message(number)], {"a": str(number)})
    assert [numbers for numbers, _ in wire.sent] == [[0], [1], [2], [3]]
    wire.answer()
    delivery.settle()
    assert wire.sent[-1][0] == list(range(4, 504))


def test_too_much_in_memory_makes_reading_wait(wire: Wire) -> None:
    delivery = Delivery(wire.send, None)
    delivery.add([message(n) for n in range(module.UNSAFE_AT_MOST)], {"a": "1"})
    assert delivery.full
    wire.answer()
    delivery.settle()
    assert not delivery.full


def test_without_an_outbox_the_cursor_never_passes_what_failed(wire: Wire) -> None:
    delivery = Delivery(wire.send, None)
    delivery.add([message(0)], {"a": "1"})
    delivery.add([message(1)], {"a": "2"})
    wire.answer(NotFound("gone"), at=0)
    wire.answer()
    for _ in range(2):
        with pytest.raises(PublishError, match=r"^there is no topic projects/p/topics/posts$"):
            delivery.settle()
    assert not delivery.settled


def test_what_fails_is_safe_on_disk_and_goes_out_in_order_later(
    wire: Wire, outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    delivery = Delivery(wire.send, outbox, lambda: wire.now)
    delivery.add([message(0), message(1)], {"a": "1"})
    wire.answer(DOWN)
    assert delivery.settle() == {"a": "1"}
    assert delivery.waiting == 2
    delivery.add([message(2)], {"a": "2"})
    assert delivery.settle() == {"a": "2"}
    assert not wire.sent  # nothing is tried for a while
    assert len(caplog.records) == 1

    wire.now += 1.5
    delivery.settle()
    assert wire.answer(DOWN) == [0, 1, 2]
    delivery.settle()
    wire.now += 1.5
    delivery.settle()
    assert not wire.sent  # the pause grows
    wire.now += 1.0
    delivery.settle()
    assert wire.answer() == [0, 1, 2]
    delivery.settle()
    assert delivery.waiting == 0
    assert delivery.counts == {"spooled": 3, "published": 3}

    delivery.add([message(3)], {"a": "3"})
    assert wire.answer() == [3]
    assert delivery.settle() == {"a": "3"}


def test_one_bad_message_is_set_aside_and_the_others_go_out(wire: Wire, outbox: Outbox) -> None:
    bad, taken = 6, []
    delivery = Delivery(wire.send, outbox, lambda: wire.now)
    delivery.add([message(number) for number in range(11)], {"a": "1"})
    for _ in range(100):
        while wire.sent:
            refused = bad in wire.sent[0][0]
            numbers = wire.answer(InvalidArgument("bad") if refused else None)
            taken += [] if refused else numbers
        wire.now += 100
        delivery.settle()
    assert taken == [number for number in range(11) if number != bad]
    assert delivery.counts == {"spooled": 11, "refused": 1, "published": 10}
    assert delivery.waiting == 0


@settings(max_examples=50)
@given(st.data())
def test_the_cursor_never_passes_what_is_not_safe(data: st.DataObject) -> None:
    wire = Wire()
    delivery = Delivery(wire.send, None)
    batches: list[list[int]] = []
    confirmed: set[int] = set()
    at, number = -1, 0
    for _ in range(data.draw(st.integers(1, 40))):
        if data.draw(st.booleans()):
            batch = list(range(number, number + data.draw(st.integers(0, 3))))
            number += len(batch)
            delivery.add([message(each) for each in batch], {"at": str(len(batches))})
            batches.append(batch)
        elif wire.sent:
            confirmed |= set(wire.answer(at=data.draw(st.integers(0, len(wire.sent) - 1))))
        at = int(delivery.settle().get("at", at))
        safe = [confirmed.issuperset(batch) for batch in batches]
        assert at == (safe.index(False) if False in safe else len(safe)) - 1
