"""What ends a subscription and what does not, over a real gRPC connection."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from grpc import StatusCode

from mltox.google.pubsub import subscription as module
from mltox.google.pubsub.subscription import Subscription, SubscriptionError
from mltox.google.retries import patiently
from tests.mltox.google.pubsub.server import Server

PATH = "projects/p/subscriptions/s"
FLEETING = [
    StatusCode.ABORTED,
    StatusCode.UNKNOWN,
    StatusCode.INTERNAL,
    StatusCode.RESOURCE_EXHAUSTED,
    StatusCode.CANCELLED,
    StatusCode.UNAVAILABLE,
]
LASTING = [StatusCode.UNAUTHENTICATED, StatusCode.INVALID_ARGUMENT, StatusCode.UNIMPLEMENTED]


@pytest.fixture
def subscription(server: Server) -> Iterator[Subscription]:
    with closing(quick(Subscription(PATH))) as opened:
        yield opened


def quick(opened: Subscription, **more: object) -> Subscription:
    """The same policy with waits of a millisecond."""
    opened._pulling = patiently(
        stopping=opened._stopping,
        again=module.is_trouble,
        first=0.001,
        tell=opened._tell_of,
        **more,  # type: ignore[arg-type]
    )
    opened._telling = patiently(first=0.001, give_up_after=1)
    return opened


@pytest.mark.parametrize("status", FLEETING, ids=lambda status: status.name)
def test_a_pull_outlasts_what_goes_by(
    server: Server, subscription: Subscription, status: StatusCode, caplog: pytest.LogCaptureFixture
) -> None:
    server.fails("Pull", [status] * 3)
    with caplog.at_level(logging.INFO, module.__name__):
        found = subscription.pull(10, wait=20)
    assert [each.payload for each in found] == [b"one", b"two"]
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 4 and messages[-1] == "Pub/Sub answers again"
    assert "for a moment); next try in" in messages[0]


def test_a_deadline_says_that_nothing_came_and_is_not_tried_again(
    server: Server, subscription: Subscription, caplog: pytest.LogCaptureFixture
) -> None:
    server.fails("Pull", [StatusCode.DEADLINE_EXCEEDED])
    assert subscription.pull(10, wait=20) == []
    assert not caplog.records
    assert len(subscription.pull(10, wait=20)) == 2


@pytest.mark.parametrize("status", LASTING, ids=lambda status: status.name)
def test_what_stays_ends_it_with_one_line(
    server: Server, subscription: Subscription, status: StatusCode
) -> None:
    server.fails("Pull", [status])
    with pytest.raises(SubscriptionError, match=f"^{PATH}: {status.name} for a moment$"):
        subscription.pull(10, wait=20)


def test_a_stop_ends_the_waiting_without_an_error(server: Server) -> None:
    stopping = threading.Event()
    server.fails("Pull", [StatusCode.UNAVAILABLE] * 1_000)
    with closing(Subscription(PATH, stopping)) as subscription:
        threading.Timer(0.2, stopping.set).start()
        assert subscription.pull(10, wait=600) == []


def test_one_that_may_not_be_waited_for_says_so_at_once(server: Server) -> None:
    server.fails("Pull", [StatusCode.RESOURCE_EXHAUSTED] * 2)
    with (
        closing(Subscription(PATH, give_up_after=0)) as subscription,
        pytest.raises(SubscriptionError, match="RESOURCE_EXHAUSTED"),
    ):
        subscription.pull(10, wait=20)


@pytest.mark.parametrize("status", [*FLEETING, StatusCode.DEADLINE_EXCEEDED], ids=str)
@pytest.mark.parametrize("method", ["Acknowledge", "ModifyAckDeadline"])
def test_an_acknowledgement_outlasts_it_too(
    server: Server, subscription: Subscription, status: StatusCode, method: str
) -> None:
    server.fails(method, [status, status])
    subscription.acknowledge(["a", "b"])
    subscription.extend(["c"], 0)
    assert (server.acknowledged, server.leases) == (["a", "b"], [("c", 0)])


@pytest.mark.parametrize("status", [StatusCode.FAILED_PRECONDITION, StatusCode.INVALID_ARGUMENT])
def test_an_acknowledgement_that_came_too_late_ends_nothing(
    server: Server,
    subscription: Subscription,
    status: StatusCode,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A subscription that delivers exactly once says so; the message comes again."""
    server.fails("Acknowledge", [status])
    subscription.acknowledge(["a"])
    assert server.acknowledged == []
    assert "took no acknowledgement" in caplog.text


def test_a_permission_that_is_taken_away_is_named(
    server: Server, subscription: Subscription
) -> None:
    server.fails("Acknowledge", [StatusCode.PERMISSION_DENIED])
    with pytest.raises(SubscriptionError, match=r"permission pubsub\.subscriptions\.consume"):
        subscription.acknowledge(["a"])


def test_ids_are_told_in_requests_of_a_size_that_pubsub_takes(
    server: Server, subscription: Subscription
) -> None:
    ids = [f"{number:0200}" for number in range(5_000)]
    subscription.acknowledge(ids)
    assert server.acknowledged == ids
