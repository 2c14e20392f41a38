"""Topics and subscriptions. PUBSUB_EMULATOR_HOST is honoured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

from google.api_core.exceptions import (
    GoogleAPICallError,
    NotFound,
    PermissionDenied,
    RetryError,
)
from google.auth.exceptions import GoogleAuthError
from google.protobuf.field_mask_pb2 import FieldMask
from google.pubsub_v1 import DeadLetterPolicy, PublisherClient, SubscriberClient
from google.pubsub_v1 import Subscription as SubscriptionMessage
from google.pubsub_v1 import Topic as TopicMessage

from mltox.google.pubsub.checks import DELETED_TOPIC, why_unanswered
from mltox.google.retries import is_fleeting, patiently
from templates.provisioning.change import Change
from templates.provisioning.errors import ProvisionError, missing
from templates.provisioning.resources import DAY_SECONDS, SubscriptionResource, TopicResource
from templates.provisioning.rest import DISABLED

PubSubResource = TypeVar("PubSubResource", TopicMessage, SubscriptionMessage)

PUBSUB_SECONDS = 20.0


def fleeting(error: BaseException) -> bool:
    """Pub/Sub can't be reached, or its API was switched on a moment ago."""
    off = isinstance(error, PermissionDenied) and error.reason == DISABLED
    return off or is_fleeting(error)


_asking = patiently(again=fleeting, give_up_after=120.0)


@contextmanager
def pubsub_errors(name: str, permission: str) -> Iterator[None]:
    try:
        yield
    except NotFound:
        raise
    except PermissionDenied as error:
        raise missing(name, permission, error.message) from error
    except (GoogleAPICallError, GoogleAuthError, RetryError) as error:
        raise ProvisionError(why_unanswered(name, error)) from error


def days(count: int) -> timedelta:
    return timedelta(seconds=count * DAY_SECONDS)


def topic_message(topic: TopicResource) -> TopicMessage:
    message = TopicMessage(name=topic.name)
    if topic.retention_days:
        message.message_retention_duration = days(topic.retention_days)
    return message


def subscription_message(subscription: SubscriptionResource) -> SubscriptionMessage:
    shortest, longest = subscription.backoff_seconds
    message = SubscriptionMessage(
        name=subscription.name,
        topic=subscription.topic,
        ack_deadline_seconds=subscription.ack_seconds,
        message_retention_duration=days(subscription.retention_days),
        # Present and without a duration: it never expires.
        expiration_policy={},
        retry_policy={
            "minimum_backoff": timedelta(seconds=shortest),
            "maximum_backoff": timedelta(seconds=longest),
        },
        enable_exactly_once_delivery=subscription.exactly_once,
    )
    if subscription.dead_letter_topic:
        message.dead_letter_policy = DeadLetterPolicy(
            dead_letter_topic=subscription.dead_letter_topic,
            max_delivery_attempts=subscription.attempts,
        )
    return message


SETTINGS = (
    "ack_deadline_seconds",
    "message_retention_duration",
    "expiration_policy",
    "retry_policy",
    "dead_letter_policy",
    "enable_exactly_once_delivery",
)


class Topics:
    def ensure(self, topic: TopicResource) -> Change:
        with PublisherClient() as client:
            return ensure(
                topic.name,
                "pubsub.topics",
                topic_message(topic),
                ("message_retention_duration",),
                get=lambda: _asking(
                    client.get_topic,
                    request={"topic": topic.name},
                    retry=None,
                    timeout=PUBSUB_SECONDS,
                ),
                create=lambda message: _asking(
                    client.create_topic, request=message, retry=None, timeout=PUBSUB_SECONDS
                ),
                update=lambda message, mask: _asking(
                    client.update_topic,
                    request={"topic": message, "update_mask": mask},
                    retry=None,
                    timeout=PUBSUB_SECONDS,
                ),
            )

    def remove(self, topic: TopicResource) -> Change:
        with PublisherClient() as client:
            return remove(
                topic.name,
                "pubsub.topics",
                lambda: _asking(
                    client.delete_topic,
                    request={"topic": topic.name},
                    retry=None,
                    timeout=PUBSUB_SECONDS,
                ),
            )


class Subscriptions:
    def ensure(self, subscription: SubscriptionResource) -> Change:
        """Raises ProvisionError where one of that name hangs on another topic."""
        with SubscriberClient() as client:

            def get() -> SubscriptionMessage:
                found = _asking(
                    client.get_subscription,
                    request={"subscription": subscription.name},
                    retry=None,
                    timeout=PUBSUB_SECONDS,
                )
                if found.topic != subscription.topic:
                    of = "a topic that is gone" if found.topic == DELETED_TOPIC else found.topic
                    name = subscription.name.rpartition("/")[2]
                    raise ProvisionError(
                        f"{subscription.name} is of {of}, not of {subscription.topic};"
                        f" run: gcloud pubsub subscriptions delete {name}"
                    )
                return found

            return ensure(
                subscription.name,
                "pubsub.subscriptions",
                subscription_message(subscription),
                SETTINGS,
                get=get,
                create=lambda message: _asking(
                    client.create_subscription, request=message, retry=None, timeout=PUBSUB_SECONDS
                ),
                update=lambda message, mask: _asking(
                    client.update_subscription,
                    request={"subscription": message, "update_mask": mask},
                    retry=None,
                    timeout=PUBSUB_SECONDS,
                ),
            )

    def remove(self, subscription: SubscriptionResource) -> Change:
        with SubscriberClient() as client:
            return remove(
                subscription.name,
                "pubsub.subscriptions",
                lambda: _asking(
                    client.delete_subscription,
                    request={"subscription": subscription.name},
                    retry=None,
                    timeout=PUBSUB_SECONDS,
                ),
            )


def ensure(
    name: str,
    family: str,
    wanted: PubSubResource,
    settings: tuple[str, ...],
    *,
    get: Callable[[], PubSubResource],
    create: Callable[[PubSubResource], PubSubResource],
    update: Callable[[PubSubResource, FieldMask], PubSubResource],
) -> Change:
    try:
        with pubsub_errors(name, f"{family}.get"):
            found = get()
    except NotFound:
        with pubsub_errors(name, f"{family}.create"):
            create(wanted)
        return Change.MADE
    differing = [field for field in settings if getattr(found, field) != getattr(wanted, field)]
    if not differing:
        return Change.THERE
    with pubsub_errors(name, f"{family}.update"):
        update(wanted, FieldMask(paths=differing))
    return Change.CHANGED


def remove(name: str, family: str, delete: Callable[[], None]) -> Change:
    try:
        with pubsub_errors(name, f"{family}.delete"):
            delete()
    except NotFound:
        return Change.ABSENT
    return Change.REMOVED
