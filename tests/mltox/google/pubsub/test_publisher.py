"""Messages that are published over a real gRPC connection, at the second try or never."""

from __future__ import annotations

import pytest
from google.api_core.exceptions import InvalidArgument, ServiceUnavailable
from grpc import StatusCode

from mltox.google.pubsub.messages import Outgoing
from mltox.google.pubsub.publisher import Publisher, PublishError
from tests.mltox.google.pubsub.server import Server
from tests.mltox.google.pubsub.test_subscription import FLEETING

TOPIC = "projects/p/topics/t"


def message(number: int) -> Outgoing:
    return Outgoing(TOPIC, b"%d" % number, {"topic": "politics", "n": str(number)})


@pytest.mark.parametrize("status", [*FLEETING, StatusCode.DEADLINE_EXCEEDED], ids=str)
def test_what_goes_by_is_outlasted(server: Server, status: StatusCode) -> None:
    server.fails("Publish", [status, status])
    with Publisher() as publisher:
        assert publisher.publish([message(1), message(2)]) == 2
    assert [(each.data, dict(each.attributes)) for each in server.published] == [
        (each.data, each.attributes) for each in (message(1), message(2))
    ]


def test_it_gives_up_after_its_time(server: Server) -> None:
    server.fails("Publish", [StatusCode.UNAVAILABLE] * 1_000)
    with Publisher(give_up_after=0.3) as publisher:
        error = publisher.send([message(1)]).exception(timeout=60)
        assert isinstance(error, ServiceUnavailable)
        with pytest.raises(PublishError, match=r"^projects/p/topics/t: Pub/Sub does not take"):
            publisher.publish([message(1)])


def test_a_message_that_is_refused_is_not_tried_again(server: Server) -> None:
    server.fails("Publish", [StatusCode.INVALID_ARGUMENT])
    with Publisher() as publisher:
        error = publisher.send([message(1)]).exception(timeout=60)
        assert isinstance(error, InvalidArgument)
        assert publisher.send([message(2)]).exception(timeout=60) is None
    assert [each.data for each in server.published] == [b"2"]


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (StatusCode.NOT_FOUND, "^there is no topic projects/p/topics/t$"),
        (StatusCode.PERMISSION_DENIED, "permission pubsub.topics.publish is missing$"),
    ],
    ids=["no topic", "no permission"],
)
def test_what_a_person_can_mend_is_named(server: Server, status: StatusCode, line: str) -> None:
    server.fails("Publish", [status])
    with Publisher() as publisher, pytest.raises(PublishError, match=line):
        publisher.publish([message(1)])


def test_closing_gives_up_what_is_tried_again(server: Server) -> None:
    server.fails("Publish", [StatusCode.UNAVAILABLE] * 1_000)
    publisher = Publisher(give_up_after=3_600)
    future = publisher.send([message(1)])
    publisher.close()
    assert future.cancelled() or future.exception(timeout=60) is not None
