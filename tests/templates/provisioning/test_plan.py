"""What the plan promises: everything it names it makes, and nobody may do more than they need."""

from __future__ import annotations

import re
from typing import TypeVar

from mltox.google.pubsub.checks import _PATH as PUBSUB_PATH
from mltox.warehouse.location import BigQueryDataset, parse_uri
from templates.provisioning.names import Names
from templates.provisioning.plan import PUBSUB_AGENT, forecast_launch, plan
from templates.provisioning.resources import (
    Account,
    DatasetGrant,
    Grant,
    Resource,
    Role,
    ScheduleResource,
    SubscriptionResource,
    TopicResource,
)

R = TypeVar("R")


def of(kind: type[R], wanted: tuple[Resource, ...]) -> list[R]:
    return [each for each in wanted if isinstance(each, kind)]


def grants_of(account: str, wanted: tuple[Resource, ...]) -> set[tuple[str, str]]:
    """(role, name of the resource), as a person would check it."""
    on_resources = {
        (grant.role.rpartition("/")[2], f"{grant.on} {grant.path.rpartition('/')[2]}")
        for grant in of(Grant, wanted)
        if f"mltox-{account}@" in grant.member
    }
    on_datasets = {
        (grant.role, f"dataset {grant.dataset.partition('.')[2]}")
        for grant in of(DatasetGrant, wanted)
        if grant.email.startswith(f"mltox-{account}@")
    }
    return on_resources | on_datasets


def test_each_account_may_do_what_it_does_and_no_more(names: Names) -> None:
    wanted = plan(names)
    assert grants_of("ingest", wanted) == {
        ("pubsub.publisher", "topic posts"),
        ("pubsub.viewer", "topic posts"),
        ("pubsub.publisher", "topic posts-deletions"),
        ("pubsub.viewer", "topic posts-deletions"),
        ("secretmanager.secretAccessor", "secret mltox-author-key"),
        ("secretmanager.secretAccessor", "secret mltox-x-bearer-token"),
        ("storage.objectUser", "bucket some-project-mltox-cursors"),
    }
    assert grants_of("dashboard", wanted) == {
        ("bigquery.jobUser", "project some-project"),
        ("READER", "dataset mltox"),
    }
    assert ("secretmanager.secretAccessor", "secret mltox-x-bearer-token") not in grants_of(
        "pipeline", wanted
    )
    on_project = {role for role, on in grants_of("pipeline", wanted) if on.startswith("project")}
    assert on_project == {"dataflow.worker", "bigquery.jobUser", "mltoxTracking"}


def test_the_workers_change_nothing_that_anybody_launches_or_loads(names: Names) -> None:
    """They parse what strangers write."""
    on_buckets = {grant for grant in grants_of("pipeline", plan(names)) if "bucket" in grant[1]}
    assert on_buckets == {
        ("storage.objectViewer", "bucket some-project-mltox"),
        ("storage.objectUser", "bucket some-project-mltox-staging"),
        ("storage.legacyBucketReader", "bucket some-project-mltox-staging"),
    }
    launch = forecast_launch(names)
    assert f"gs://{names.bucket}/" in str(launch["containerSpecGcsPath"])
    environment = launch["environment"]
    assert isinstance(environment, dict)
    for place in ("stagingLocation", "tempLocation"):
        assert environment[place].startswith(f"gs://{names.staging}/")


def test_no_role_of_our_own_deletes_or_changes_what_is_there(names: Names) -> None:
    for role in of(Role, plan(names)):
        for permission in role.permissions:
            assert permission.rpartition(".")[2] in ("consume", "create", "get"), permission


def test_no_grant_is_of_a_basic_role_or_an_administrator(names: Names) -> None:
    for grant in of(Grant, plan(names)):
        assert not re.search(r"roles/(owner|editor|viewer)$|admin", grant.role, re.I), grant


def test_what_is_granted_on_and_to_is_made_before(names: Names) -> None:
    made: set[str] = {f"projects/{names.project}", PUBSUB_AGENT}
    for each in plan(names):
        if isinstance(each, Grant):
            assert each.path.replace(f"projects/{names.project}/serviceAccounts/", "") in made
            assert each.member.removeprefix("serviceAccount:") in made | {
                PUBSUB_AGENT.removeprefix("serviceAccount:")
            }
        elif isinstance(each, DatasetGrant):
            assert {each.dataset, each.email} <= made
        elif isinstance(each, ScheduleResource):
            assert each.account in made
        made.add(each.name)


def test_each_topic_has_a_subscription_so_that_nothing_is_lost(names: Names) -> None:
    wanted = plan(names)
    topics = {topic.name for topic in of(TopicResource, wanted)}
    subscriptions = of(SubscriptionResource, wanted)
    assert {each.topic for each in subscriptions} == topics
    assert {each.dead_letter_topic for each in subscriptions} <= {None, *topics}


def test_names_are_those_that_the_other_commands_take(names: Names) -> None:
    paths = [topic.name for topic in of(TopicResource, plan(names))]
    paths += [subscription.name for subscription in of(SubscriptionResource, plan(names))]
    assert all(map(PUBSUB_PATH.fullmatch, paths))
    assert parse_uri(names.warehouse) == BigQueryDataset("some-project", "mltox")
    launch = forecast_launch(names)
    assert launch["parameters"] == {"warehouse": names.warehouse}


def test_what_a_stream_reads_may_be_read_again_for_a_week(names: Names) -> None:
    """Dataflow supports neither exactly-once delivery nor Pub/Sub's dead-letter policy."""
    (posts,) = (
        s for s in of(SubscriptionResource, plan(names)) if s.name.endswith("subscriptions/posts")
    )
    assert posts.retention_days == 7
    assert not posts.exactly_once and posts.dead_letter_topic is None


def test_accounts_have_ids_that_google_takes(names: Names) -> None:
    for account in of(Account, plan(names)):
        assert re.fullmatch(r"[a-z][a-z0-9-]{4,28}[a-z0-9]", account.name.partition("@")[0])


def test_resources_have_one_name_each(names: Names) -> None:
    shown = [(each.kind, each.name, each.note) for each in plan(names)]
    assert len(set(shown)) == len(shown)
