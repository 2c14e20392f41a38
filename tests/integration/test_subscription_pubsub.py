"""Holding messages, pulling them ahead and giving them back, against the emulator."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from mltox.google.pubsub.leases import Leases
from mltox.google.pubsub.subscription import Subscription, SubscriptionError
from pipelines.runs.local_stream.intake import Intake, Pace
from tests.integration.pubsub import SUBSCRIPTION, emulated, need_emulator, publish


@pytest.fixture(scope="module")
def subscription() -> Iterator[Subscription]:
    need_emulator()
    with emulated():
        opened = Subscription(SUBSCRIPTION)
        yield opened
        opened.close()


def test_what_failed_is_delivered_again_at_once_and_what_was_acknowledged_is_not(
    subscription: Subscription,
) -> None:
    publish([b"one"])
    (first,) = subscription.pull(1, wait=60)
    with pytest.raises(ZeroDivisionError), Leases(subscription) as leases:
        leases.hold([first.ack_id])
        raise ZeroDivisionError
    (again,) = subscription.pull(1, wait=60)
    assert again.message_id == first.message_id and again.payload == b"one"
    with Leases(subscription) as leases:
        leases.hold([again.ack_id])
        subscription.acknowledge([again.ack_id])
        leases.let_go([again.ack_id])
    assert subscription.pull(1, wait=0.5) == []


def test_the_next_turn_is_pulled_while_this_one_runs(subscription: Subscription) -> None:
    heard: list[bytes] = []
    stopping = threading.Event()
    pace = Pace(messages=3, gather=0.1, wait=60)
    with Intake(
        subscription, pace, stopping, lambda some: heard.extend(each.payload for each in some)
    ) as intake:
        publish([b"a", b"b", b"c", b"d", b"e"])
        taken = intake.take()
        while len(taken) < 3:
            taken += intake.take()
        while len(heard) < 5:
            time.sleep(0.05)
        intake.acknowledge(taken)
        stopping.set()
        rest = intake.take()
        assert sorted(each.payload for each in taken + rest) == [b"a", b"b", b"c", b"d", b"e"]
        assert [each.payload for each in taken + rest] == heard
        intake.acknowledge(rest)
        assert intake.take() == [] and intake.is_done
    assert subscription.pull(1, wait=0.5) == []


def test_what_no_turn_took_is_given_back(subscription: Subscription) -> None:
    arrived = threading.Event()
    pace = Pace(bytes=1)
    with (
        pytest.raises(ZeroDivisionError),
        Intake(subscription, pace, threading.Event(), lambda _: arrived.set()),
    ):
        publish([b"one"])
        assert arrived.wait(60)
        raise ZeroDivisionError
    (again,) = subscription.pull(1, wait=60)
    subscription.acknowledge([again.ack_id])
    assert again.payload == b"one"


def test_no_more_waits_than_the_pace_allows(subscription: Subscription) -> None:
    pace = Pace(bytes=10, gather=0, wait=60)
    with Intake(subscription, pace, threading.Event()) as intake:
        publish([b"0123456789"])
        (first,) = intake.take()
        publish([b"9876543210"])
        deadline = time.monotonic() + 60
        while not (second := intake.take()) and time.monotonic() < deadline:
            pass
        intake.acknowledge([first, *second])
    assert [each.payload for each in second] == [b"9876543210"]


def test_a_turn_hears_that_the_subscription_is_gone(subscription: Subscription) -> None:
    missing = Subscription(SUBSCRIPTION + "-none")
    with (
        pytest.raises(SubscriptionError, match="no subscription"),
        Intake(missing, Pace(wait=60), threading.Event()) as intake,
    ):
        intake.take()
    missing.close()


def test_no_error_of_the_pulling_thread_looks_like_an_end(subscription: Subscription) -> None:
    def breaks(_: object) -> None:
        raise ZeroDivisionError

    publish([b"one"])
    with (
        pytest.raises(ZeroDivisionError),
        Intake(subscription, Pace(wait=60), threading.Event(), breaks) as intake,
    ):
        while not intake.is_done:
            intake.take()
    (again,) = subscription.pull(1, wait=60)
    subscription.acknowledge([again.ack_id])


def test_a_subscription_that_is_not_there_is_named(subscription: Subscription) -> None:
    missing = Subscription(SUBSCRIPTION + "-none")
    with pytest.raises(SubscriptionError, match=f"no subscription {missing.path}$"):
        missing.pull(1, wait=60)
    missing.close()
