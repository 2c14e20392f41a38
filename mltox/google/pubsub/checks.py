"""Whether a subscription and topics are there and may be used."""

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
from google.auth.exceptions import GoogleAuthError
from google.pubsub_v1 import PublisherClient, SubscriberClient

from mltox.google.errors import cause_of, no_credentials, one_line
from mltox.google.pubsub import EMULATOR
from mltox.google.retries import patiently

CHECK_SECONDS = 10.0
DELETED_TOPIC = "_deleted-topic_"
"""What Pub/Sub gives as the topic of a subscription that outlived it."""
CONSUME, PUBLISH = "pubsub.subscriptions.consume", "pubsub.topics.publish"
PUBSUB_ROLES = {CONSUME: "roles/pubsub.subscriber", PUBLISH: "roles/pubsub.publisher"}

_PATH = re.compile(r"projects/(?P<project>[^/]+)/(?P<kind>subscriptions|topics)/(?P<name>[^/]+)")
_asking = patiently(give_up_after=CHECK_SECONDS)


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
        yield why_unanswered(path, error)


def _subscription_problems(client: SubscriberClient, path: str, create: str) -> Iterator[str]:
    seen = True
    try:
        request = {"subscription": path}
        found = _asking(client.get_subscription, request=request, retry=None, timeout=CHECK_SECONDS)
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
                _asking(
                    client.get_topic, request={"topic": path}, retry=None, timeout=CHECK_SECONDS
                )
            except NotFound:
                create = f"gcloud pubsub topics create {match['name']} --project={match['project']}"
                yield f"{path}: there is no such topic; run: {create}"
                return
            except PermissionDenied:
                seen = False  # roles/pubsub.publisher may publish and yet not look
            yield from missing_permissions(client, path, PUBLISH, seen)
    except (GoogleAPICallError, GoogleAuthError, RetryError) as error:
        yield why_unanswered(path, error)


def missing_permissions(client: Any, path: str, permission: str, seen: bool) -> Iterator[str]:
    """Pub/Sub grants nothing on what does not exist, and that may be the reason if `seen` is
    False."""
    request = {"resource": path, "permissions": [permission]}
    try:
        answer = _asking(
            client.test_iam_permissions, request=request, retry=None, timeout=CHECK_SECONDS
        )
    except MethodNotImplemented:  # the emulator: nobody knows, and nothing is forbidden there
        return
    if permission not in answer.permissions:
        perhaps = "" if seen else ", or there is no such resource"
        yield f"{path}: permission {permission} is missing ({PUBSUB_ROLES[permission]}){perhaps}"


def why_unanswered(path: str, error: Exception) -> str:
    """One line for what kept a question from being answered."""
    cause = cause_of(error)
    if isinstance(cause, GoogleAuthError):
        return f"{path}: {no_credentials(cause, EMULATOR)}"
    if isinstance(cause, ServiceUnavailable):
        return f"{path}: Pub/Sub can't be reached: {one_line(cause)}"
    return f"{path}: {one_line(cause)}"
