"""Holding messages and giving them back, against the emulator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pipelines.live.subscription import Subscription, SubscriptionError
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
    with pytest.raises(ZeroDivisionError), subscription.held([first.ack_id]):
        raise ZeroDivisionError
    (again,) = subscription.pull(1, wait=60)
    assert again.message_id == first.message_id and again.payload == b"one"
    with subscription.held([again.ack_id]):
        pass
    subscription.acknowledge([again.ack_id])
    assert subscription.pull(1, wait=0.5) == []


def test_a_subscription_that_is_not_there_is_named(subscription: Subscription) -> None:
    missing = Subscription(SUBSCRIPTION + "-none")
    with pytest.raises(SubscriptionError, match=f"no subscription {missing.path}$"):
        missing.pull(1, wait=60)
    missing.close()
