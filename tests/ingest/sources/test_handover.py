from __future__ import annotations

import threading

import pytest

from ingest.sources.handover import MAX_PAYLOADS, WAITING_MESSAGES, Handover, Stopped, batches_of
from ingest.sources.source import Batch

SECONDS = 30.0


def one(text: str, cursor: str | None = None, topic: str = "") -> Batch:
    return Batch((text.encode(),), {"at": cursor} if cursor else None, (topic,) if topic else ())


def test_batches_come_in_order_and_small_ones_in_one() -> None:
    ready = threading.Event()

    def work(hand: Handover) -> None:
        for batch in (one("a", "1"), one("b"), Batch((), {"at": "2"}), one("c", topic="t")):
            hand.put(batch)
        ready.set()

    reader = batches_of(work, threading.Event())
    first = next(reader)
    assert ready.wait(SECONDS)
    payloads = [*first.payloads, *(payload for batch in reader for payload in batch.payloads)]
    assert payloads == [b"a", b"b", b"c"]


def test_batches_of_different_topics_are_kept_apart() -> None:
    hand = Handover()
    for batch in (one("a", "1"), one("b", "2"), one("c", "3", "t"), one("d", topic="t")):
        hand.put(batch)
    assert hand.take() == Batch((b"a", b"b"), {"at": "2"}, ())
    assert hand.take() == Batch((b"c", b"d"), {"at": "3"}, ("t",))


def test_cursors_of_several_streams_are_kept_together() -> None:
    hand = Handover()
    for cursor in ({"a": "1"}, {"b": "1"}, {"a": "2"}):
        hand.put(Batch((b"x",), cursor))
    assert hand.take() == Batch((b"x",) * 3, {"a": "2", "b": "1"})


def test_a_batch_is_not_larger_than_it_should_be() -> None:
    hand = Handover()
    for _ in range(MAX_PAYLOADS + 1):
        hand.put(one("x"))
    taken = [hand.take(), hand.take()]
    assert [len(batch.payloads) for batch in taken if batch] == [MAX_PAYLOADS, 1]


def test_nothing_for_a_while_is_an_empty_batch() -> None:
    assert Handover().take() == Batch()


def test_an_error_is_raised_after_what_came_before_it() -> None:
    def work(hand: Handover) -> None:
        hand.put(one("a"))
        raise OSError("gone")

    read: list[bytes] = []
    with pytest.raises(OSError, match="gone"):
        for batch in batches_of(work, threading.Event()):
            read += batch.payloads
    assert read == [b"a"]


def test_a_slow_reader_holds_the_client_back() -> None:
    hand, put = Handover(), threading.Semaphore(0)

    def work() -> None:
        for number in range(WAITING_MESSAGES + 1):
            hand.put(Batch((), {"at": str(number)}))
            put.release()

    client = threading.Thread(target=work, daemon=True)
    client.start()
    for _ in range(WAITING_MESSAGES):
        assert put.acquire(timeout=SECONDS)
    assert not put.acquire(timeout=0.2)
    assert hand.take() == Batch((), {"at": str(WAITING_MESSAGES - 1)})
    assert put.acquire(timeout=SECONDS)


@pytest.mark.parametrize("wait", [lambda hand: hand.rest(3600), lambda hand: fill(hand)])
def test_a_stop_ends_every_wait(wait: object) -> None:
    stopping, ended, begun = threading.Event(), threading.Event(), threading.Event()

    def work(hand: Handover) -> None:
        begun.set()
        try:
            wait(hand)  # type: ignore[operator]
        except Stopped:
            ended.set()
            raise

    for _ in batches_of(work, stopping):
        assert begun.wait(SECONDS)
        stopping.set()
    assert ended.wait(SECONDS)


def fill(hand: Handover) -> None:
    while True:
        hand.put(one("x"))
