"""Topics and subscriptions by the real emulator, and the whole plan with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from google.pubsub_v1 import PublisherClient, SubscriberClient

from pipelines.preflight import Needs, check
from templates.provisioning.apply import make, services, take_away
from templates.provisioning.change import Change
from templates.provisioning.errors import ProvisionError
from templates.provisioning.names import Names
from templates.provisioning.plan import plan
from templates.provisioning.pubsub import Subscriptions, Topics
from templates.provisioning.resources import SubscriptionResource, TopicResource
from tests.bigquery_server import serve as bigquery
from tests.integration.pubsub import PROJECT, emulated, need_emulator
from tests.templates.provisioning.google_server import serve as google

pytestmark = pytest.mark.drill
NAMES = Names(PROJECT, "europe-west1")
TOPIC = TopicResource(NAMES.topic("provisioned"), retention_days=1)
SUBSCRIPTION = SubscriptionResource(NAMES.subscription("provisioned"), TOPIC.name)


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    need_emulator()
    with emulated() as address:
        yield address


@pytest.fixture(autouse=True)
def address(emulator: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", emulator)
    return emulator


@pytest.fixture
def topic() -> Iterator[TopicResource]:
    assert Topics().ensure(TOPIC) is Change.MADE
    yield TOPIC
    Topics().remove(TOPIC)


def test_a_topic_is_made_mended_and_removed() -> None:
    topics = Topics()
    steps = [topics.ensure(TOPIC), topics.ensure(TOPIC)]
    steps += [topics.ensure(replace(TOPIC, retention_days=2)), topics.remove(TOPIC)]
    assert [*steps, topics.remove(TOPIC)] == [
        Change.MADE,
        Change.THERE,
        Change.CHANGED,
        Change.REMOVED,
        Change.ABSENT,
    ]


@pytest.mark.usefixtures("topic")
@pytest.mark.parametrize(
    "after",
    [
        replace(SUBSCRIPTION, retention_days=3),
        replace(SUBSCRIPTION, ack_seconds=30),
        replace(SUBSCRIPTION, backoff_seconds=(1, 60)),
        replace(SUBSCRIPTION, dead_letter_topic=TOPIC.name, attempts=7),
    ],
)
def test_a_subscription_is_made_mended_and_removed(after: SubscriptionResource) -> None:
    subscriptions = Subscriptions()
    steps = [subscriptions.ensure(each) for each in (SUBSCRIPTION, SUBSCRIPTION, after, after)]
    steps += [subscriptions.remove(after), subscriptions.remove(after)]
    assert steps == [
        Change.MADE,
        Change.THERE,
        Change.CHANGED,
        Change.THERE,
        Change.REMOVED,
        Change.ABSENT,
    ]


def test_a_subscription_of_another_topic_is_told(topic: TopicResource) -> None:
    other = TopicResource(NAMES.topic("another"))
    Topics().ensure(other)
    Subscriptions().ensure(SUBSCRIPTION)
    try:
        with pytest.raises(ProvisionError, match=f"is of {topic.name}, not of {other.name}"):
            Subscriptions().ensure(replace(SUBSCRIPTION, topic=other.name))
        Topics().remove(topic)
        with pytest.raises(ProvisionError, match="is of a topic that is gone"):
            Subscriptions().ensure(SUBSCRIPTION)
    finally:
        Subscriptions().remove(SUBSCRIPTION)
        Topics().remove(other)


def test_the_settings_are_those_of_the_plan() -> None:
    alerts, undelivered = TopicResource(NAMES.topic("first")), TopicResource(NAMES.topic("second"))
    wanted = replace(
        SUBSCRIPTION, topic=alerts.name, exactly_once=True, dead_letter_topic=undelivered.name
    )
    for each in (alerts, undelivered):
        Topics().ensure(each)
    Subscriptions().ensure(wanted)
    with SubscriberClient() as client:
        found = client.get_subscription(request={"subscription": wanted.name})
    assert found.enable_exactly_once_delivery
    assert found.dead_letter_policy.dead_letter_topic == undelivered.name
    assert found.message_retention_duration.days == 7
    assert found.expiration_policy.ttl.total_seconds() == 0
    for gone in (alerts, undelivered):
        Topics().remove(gone)
    Subscriptions().remove(wanted)


def test_the_whole_plan_is_made_used_and_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice each: a second run finds all as it is. In between a stream finds what it needs."""
    with PublisherClient() as publisher:  # what the module's emulator started with
        publisher.delete_topic(request={"topic": NAMES.topic("posts")})
    with SubscriberClient() as subscriber:
        subscriber.delete_subscription(request={"subscription": NAMES.subscription("posts")})
    with bigquery() as (at, _), google() as (rest, _, _):
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", at)
        by, wanted = services(NAMES, rest), plan(NAMES)
        assert not [done.problem for done in make(wanted, by) if done.problem]
        assert {done.change for done in make(wanted, by)} == {Change.THERE}
        check(
            Needs(
                subscription=NAMES.subscription("posts"),
                topics=(NAMES.topic("posts-dead-letters"), NAMES.topic("alerts")),
            )
        )
        assert {done.change for done in take_away(wanted, by)} == {Change.REMOVED, Change.KEPT}
        assert {done.change for done in take_away(wanted, by)} == {Change.ABSENT, Change.KEPT}
