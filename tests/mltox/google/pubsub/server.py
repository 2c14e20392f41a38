"""A Pub/Sub server of this process that answers with the statuses it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from google.pubsub_v1 import (
    AcknowledgeRequest,
    ModifyAckDeadlineRequest,
    PublishRequest,
    PublishResponse,
    PubsubMessage,
    PullRequest,
    PullResponse,
    ReceivedMessage,
)

SERVICE = "google.pubsub.v1"


class Server:
    """`answers` of a method are what its next calls end with, None where it works; when they are
    used up it works. What came is in `pulls`, `acknowledged`, `leases` and `published`."""

    def __init__(self, messages: Sequence[bytes] = ()) -> None:
        self.answers: dict[str, list[grpc.StatusCode | None]] = {}
        self.waiting = list(messages)
        self.pulls = 0
        self.acknowledged: list[str] = []
        self.leases: list[tuple[str, int]] = []
        self.published: list[PubsubMessage] = []

    def fails(self, method: str, answers: Sequence[grpc.StatusCode | None]) -> None:
        self.answers[method] = list(answers)

    def pull(self, request: PullRequest) -> PullResponse:
        self.pulls += 1
        some, self.waiting = (
            self.waiting[: request.max_messages],
            self.waiting[request.max_messages :],
        )
        return PullResponse(
            received_messages=[
                ReceivedMessage(
                    ack_id=f"ack {data!r}", message=PubsubMessage(data=data, message_id=f"{data!r}")
                )
                for data in some
            ]
        )

    def acknowledge(self, request: AcknowledgeRequest) -> Empty:
        self.acknowledged += request.ack_ids
        return Empty()

    def modify(self, request: ModifyAckDeadlineRequest) -> Empty:
        self.leases += [(ack_id, request.ack_deadline_seconds) for ack_id in request.ack_ids]
        return Empty()

    def publish(self, request: PublishRequest) -> PublishResponse:
        self.published += request.messages
        return PublishResponse(message_ids=[str(n) for n in range(len(request.messages))])

    def handler(self, name: str, act: Callable[[Any], Any], request: Any, answer: Any) -> Any:
        def answered(received: Any, context: grpc.ServicerContext) -> Any:
            status = self.answers[name].pop(0) if self.answers.get(name) else None
            if status is not None:
                context.abort(status, f"{status.name} for a moment")
            return act(received)

        is_bare = act in (self.acknowledge, self.modify)
        serialize = answer.SerializeToString if is_bare else answer.serialize
        return grpc.unary_unary_rpc_method_handler(
            answered,
            request_deserializer=request.deserialize,
            response_serializer=serialize,
        )

    def services(self) -> Mapping[str, Mapping[str, Any]]:
        return {
            f"{SERVICE}.Subscriber": {
                "Pull": self.handler("Pull", self.pull, PullRequest, PullResponse),
                "Acknowledge": self.handler(
                    "Acknowledge", self.acknowledge, AcknowledgeRequest, Empty
                ),
                "ModifyAckDeadline": self.handler(
                    "ModifyAckDeadline", self.modify, ModifyAckDeadlineRequest, Empty
                ),
            },
            f"{SERVICE}.Publisher": {
                "Publish": self.handler("Publish", self.publish, PublishRequest, PublishResponse)
            },
        }


@contextmanager
def serving(server: Server) -> Iterator[str]:
    """Yields the address, for PUBSUB_EMULATOR_HOST."""
    running = grpc.server(ThreadPoolExecutor(4))
    for name, methods in server.services().items():
        handler = grpc.method_handlers_generic_handler(name, methods)
        running.add_generic_rpc_handlers((handler,))
    port = running.add_insecure_port("127.0.0.1:0")
    running.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        running.stop(0)
