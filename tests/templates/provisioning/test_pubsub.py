"""Pub/Sub's answers that the emulator does not give. The rest is in tests/integration."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent import futures
from typing import Any

import grpc
import pytest
from google.api_core.exceptions import PermissionDenied
from google.rpc.error_details_pb2 import ErrorInfo

from templates.provisioning.apply import make
from templates.provisioning.errors import ProvisionError
from templates.provisioning.pubsub import Subscriptions, Topics, fleeting
from templates.provisioning.resources import SubscriptionResource, TopicResource

TOPIC = TopicResource("projects/some-project/topics/posts")
SUBSCRIPTION = SubscriptionResource("projects/some-project/subscriptions/posts", TOPIC.name)


class Refusing(grpc.GenericRpcHandler):
    """Nothing is there, and what is asked beyond that ends with `code`."""

    def __init__(self) -> None:
        self.code = grpc.StatusCode.PERMISSION_DENIED

    def service(self, details: Any) -> Any:
        return grpc.unary_unary_rpc_method_handler(
            lambda _, context: self._answer(details.method, context), bytes, bytes
        )

    def _answer(self, method: str, context: Any) -> None:
        looking = method.rpartition("/")[2].startswith("Get")
        context.abort(grpc.StatusCode.NOT_FOUND if looking else self.code, "said by Google\nmore")


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[Refusing]:
    server, handler = grpc.server(futures.ThreadPoolExecutor(2)), Refusing()
    server.add_generic_rpc_handlers((handler,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{port}")
    yield handler
    server.stop(None)


@pytest.mark.usefixtures("google")
def test_a_missing_permission_is_one_line_with_the_resource() -> None:
    for service, resource, permission in (
        (Topics().ensure, TOPIC, "pubsub.topics.create"),
        (Topics().remove, TOPIC, "pubsub.topics.delete"),
        (Subscriptions().ensure, SUBSCRIPTION, "pubsub.subscriptions.create"),
        (Subscriptions().remove, SUBSCRIPTION, "pubsub.subscriptions.delete"),
    ):
        do: Any = service
        with pytest.raises(ProvisionError) as caught:
            do(resource)
        line = f"{resource.name}: permission {permission} is missing: said by Google"
        assert str(caught.value) == line


def test_a_subscription_whose_topic_is_gone_in_between_is_one_line(google: Refusing) -> None:
    google.code = grpc.StatusCode.NOT_FOUND
    (done,) = make([SUBSCRIPTION], {SubscriptionResource: Subscriptions()})
    assert done.problem == f"subscription {SUBSCRIPTION.name}: said by Google"


@pytest.mark.parametrize(("reason", "again"), [("SERVICE_DISABLED", True), ("OTHER", False)])
def test_only_an_api_that_is_off_is_tried_again(reason: str, again: bool) -> None:
    error = PermissionDenied("no", error_info=ErrorInfo(reason=reason))
    assert fleeting(error) is again
