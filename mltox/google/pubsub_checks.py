"""Whether a subscription and topics are there and may be used. PUBSUB_EMULATOR_HOST is honoured."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from google.api_core.exceptions import (
    GoogleAPICallError,
    MethodNotImplemented,
    NotFound,
    PermissionDenied,
    RetryError,
    ServiceUnavailable,
)
from google.api_core.retry import Retry, if_exception_type
from google.auth.exceptions import GoogleAuthError
from google.pubsub_v1 import PublisherClient, SubscriberClient

TIMEOUT = 10.0
RETRY = Retry(predicate=if_exception_type(ServiceUnavailable), initial=0.5, timeout=TIMEOUT)
DELETED_TOPIC = "_deleted-topic_"
"""What Pub/Sub gives as the topic of a subscription that outlived it."""
CONSUME, PUBLISH = "pubsub.subscriptions.consume", "pubsub.topics.publish"
ROLES = {CONSUME: "roles/pubsub.subscriber", PUBLISH: "roles/pubsub.publisher"}

_PATH = re.compile(r"projects/(?P<project>[^/]+)/(?P<kind>subscriptions|topics)/(?P<name>[^/]+)")


def subscription_problems(path: str) -> Iterator[str]:
    """`path` is projects/PROJECT/subscriptions/NAME."""
    match = _PATH.fullmatch(path)
    if match is None or match["kind"] != "subscriptions":
        yield f"{path}: a subscription is written projects/PROJECT/subscriptions/NAME"
        return
    create = (
        f"gcloud pubsub subscriptions create {match['name']} --project={match['project']}"
        " --topic=TOPIC"
    )
    try:
        with SubscriberClient() as client:
            yield from _subscription_problems(client, path, create)
    except (GoogleAPICallError, GoogleAuthError, RetryError) as error:
        yield explained(path, error)


def _subscription_problems(client: SubscriberClient, path: str, create: str) -> Iterator[str]:
    seen = True
    try:
        request = {"subscription": path}
        found = client.get_subscription(request=request, retry=RETRY, timeout=TIMEOUT)
    except NotFound:
        yield f"{path}: there is no such subscription; run: {create}"
        return
    except PermissionDenied:
        # roles/pubsub.subscriber may pull and yet not look.
        seen = False
    else:
        if found.topic == DELETED_TOPIC:
            yield (
                f"{path}: its topic was deleted, nothing more will come;"
                f" delete the subscription, then run: {create}"
            )
    yield from missing_permissions(client, path, CONSUME, seen)


def topic_problems(path: str) -> Iterator[str]:
    """`path` is projects/PROJECT/topics/NAME, and the run publishes there."""
    match = _PATH.fullmatch(path)
    if match is None or match["kind"] != "topics":
        yield f"{path}: a topic is written projects/PROJECT/topics/NAME"
        return
    seen = True
    try:
        with PublisherClient() as client:
            try:
                client.get_topic(request={"topic": path}, retry=RETRY, timeout=TIMEOUT)
            except NotFound:
                create = f"gcloud pubsub topics create {match['name']} --project={match['project']}"
                yield f"{path}: there is no such topic; run: {create}"
                return
            except PermissionDenied:
                seen = False  # roles/pubsub.publisher may publish and yet not look
            yield from missing_permissions(client, path, PUBLISH, seen)
    except (GoogleAPICallError, GoogleAuthError, RetryError) as error:
        yield explained(path, error)


def missing_permissions(client: Any, path: str, permission: str, seen: bool) -> Iterator[str]:
    """Pub/Sub grants nothing on what does not exist, and that may be the reason if `seen` is
    False."""
    request = {"resource": path, "permissions": [permission]}
    try:
        answer = client.test_iam_permissions(request=request, retry=RETRY, timeout=TIMEOUT)
    except MethodNotImplemented:  # the emulator: nobody knows, and nothing is forbidden there
        return
    if permission not in answer.permissions:
        perhaps = "" if seen else ", or there is no such resource"
        yield f"{path}: permission {permission} is missing ({ROLES[permission]}){perhaps}"


def explained(path: str, error: Exception) -> str:
    """One line for what kept a question from being answered."""
    cause = error.cause if isinstance(error, RetryError) and error.cause else error
    said = (str(getattr(cause, "message", "") or cause).splitlines() or [type(cause).__name__])[0]
    if isinstance(cause, GoogleAuthError):
        return (
            f"{path}: no usable Google credentials ({said}); run: gcloud auth application-default"
            " login, or set PUBSUB_EMULATOR_HOST"
        )
    if isinstance(cause, ServiceUnavailable):
        return f"{path}: Pub/Sub can't be reached: {said}"
    return f"{path}: {said}"
