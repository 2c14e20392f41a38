"""What mltox wants of a project. Pure data: nothing is asked, nothing is made."""

from __future__ import annotations

from collections.abc import Iterator

from templates.provisioning.names import Names
from templates.provisioning.resources import (
    Account,
    Api,
    Bucket,
    Dataset,
    DatasetGrant,
    Grant,
    Repository,
    Resource,
    Role,
    ScheduleResource,
    Secret,
    SubscriptionResource,
    TopicResource,
)

APIS = (
    "serviceusage",
    "cloudresourcemanager",
    "iam",
    "pubsub",
    "bigquery",
    "storage",
    "secretmanager",
    "artifactregistry",
    "cloudbuild",
    "compute",
    "dataflow",
    "run",
    "cloudfunctions",
    "cloudscheduler",
)
POSTS, LETTERS, DELETIONS, ALERTS = "posts", "posts-dead-letters", "posts-deletions", "alerts"
UNDELIVERED = "alerts-undelivered"
AUTHOR_KEY, X_TOKEN = "author-key", "x-bearer-token"
TRACKING = "mltoxTracking"
PUBSUB_AGENT = "serviceAccount:service-{project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"
PUBLISHER, SUBSCRIBER = "roles/pubsub.publisher", "roles/pubsub.subscriber"


def plan(names: Names) -> tuple[Resource, ...]:
    """In the order in which they can be made; removed in the opposite one."""
    return (
        *(Api(names.project, f"{api}.googleapis.com") for api in APIS),
        *identities(names),
        *messaging(names),
        Dataset(f"{names.project}.{names.dataset}", names.region),
        Secret(names.secret(AUTHOR_KEY)),
        Secret(names.secret(X_TOKEN)),
        Bucket(names.bucket, names.project, names.region, versioned=True),
        Bucket(names.staging, names.project, names.region, temporary=("temp/", "staging/")),
        Bucket(names.cursors, names.project, names.region),
        Repository(names.repository),
        *ingest_grants(names),
        *pipeline_grants(names),
        *dashboard_grants(names),
        *scheduler_grants(names),
        *pubsub_grants(names),
        *schedules(names),
    )


def identities(names: Names) -> Iterator[Resource]:
    yield Account(names.account("ingest"), "reads networks, publishes posts")
    yield Account(names.account("pipeline"), "the Dataflow workers")
    yield Account(names.account("dashboard"), "reads the tables")
    yield Account(names.account("scheduler"), "calls the function, launches the forecast")
    yield Role(
        f"projects/{names.project}/roles/{TRACKING}",
        "mltox: event time of a stream",
        (
            "pubsub.subscriptions.consume",
            "pubsub.subscriptions.create",
            "pubsub.subscriptions.get",
        ),
    )


def messaging(names: Names) -> Iterator[Resource]:
    """Topics, and a subscription of each.

    `posts` has no dead-letter policy and no exactly-once delivery: Dataflow keeps its own account
    of what it has seen, supports neither, and hands messages back for reasons of its own. A message
    that cannot be used is a row in dead_letters. A deletion has no dead-letter policy either: it is
    put off while its post lies in BigQuery's streaming buffer or has not come yet, and must not be
    given up for it. An alert is meant for people, who want it once.
    """
    yield TopicResource(names.topic(POSTS), retention_days=7)
    for name in (LETTERS, DELETIONS, ALERTS, UNDELIVERED):
        yield TopicResource(names.topic(name))
    yield SubscriptionResource(names.subscription(POSTS), names.topic(POSTS))
    yield SubscriptionResource(names.subscription(LETTERS), names.topic(LETTERS))
    yield SubscriptionResource(names.subscription(DELETIONS), names.topic(DELETIONS))
    yield SubscriptionResource(
        names.subscription(ALERTS),
        names.topic(ALERTS),
        exactly_once=True,
        dead_letter_topic=names.topic(UNDELIVERED),
    )
    yield SubscriptionResource(names.subscription(UNDELIVERED), names.topic(UNDELIVERED))


def member(names: Names, account: str) -> str:
    return f"serviceAccount:{names.account(account)}"


def ingest_grants(names: Names) -> Iterator[Resource]:
    ingest = member(names, "ingest")
    for topic in (POSTS, DELETIONS):
        yield Grant("topic", names.topic(topic), PUBLISHER, ingest, "publishes what it read")
        # A publisher may not look, and a source asks whether its topic is there before it reads.
        viewer = "roles/pubsub.viewer"
        yield Grant("topic", names.topic(topic), viewer, ingest, "looks whether it is there")
    for secret in (AUTHOR_KEY, X_TOKEN):
        yield reads_secret(names, secret, ingest)
    yield Grant("bucket", names.cursors, "roles/storage.objectUser", ingest, "keeps its cursors")


def reads_secret(names: Names, secret: str, who: str) -> Grant:
    role = "roles/secretmanager.secretAccessor"
    return Grant("secret", names.secret(secret), role, who, "reads the newest version")


def pipeline_grants(names: Names) -> Iterator[Resource]:
    """Those on the project are the ones that exist on no smaller thing.

    The workers parse what strangers write, so they may change nothing that anybody launches or
    loads, and delete no subscription: the one by which Dataflow follows event time expires 31 days
    after its job instead.
    """
    pipeline = member(names, "pipeline")
    project = f"projects/{names.project}"
    yield Grant("project", project, "roles/dataflow.worker", pipeline, "takes work of its jobs")
    yield Grant("project", project, "roles/bigquery.jobUser", pipeline, "runs queries")
    yield Grant(
        "project",
        project,
        f"{project}/roles/{TRACKING}",
        pipeline,
        "Dataflow follows event time by a second subscription that it makes",
    )
    for name in (POSTS, DELETIONS):
        path = names.subscription(name)
        yield Grant("subscription", path, SUBSCRIBER, pipeline, "pulls and acknowledges")
        yield Grant("subscription", path, "roles/pubsub.viewer", pipeline, "looks at its settings")
    why = "attaches the subscription that follows event time"
    for role in (SUBSCRIBER, "roles/pubsub.viewer"):
        yield Grant("topic", names.topic(POSTS), role, pipeline, why)
    for topic in (LETTERS, ALERTS):
        yield Grant("topic", names.topic(topic), PUBLISHER, pipeline, "publishes")
    yield reads_secret(names, AUTHOR_KEY, pipeline)
    yield Grant(
        "bucket",
        names.bucket,
        "roles/storage.objectViewer",
        pipeline,
        "reads bundles, topics and templates",
    )
    yield Grant("bucket", names.staging, "roles/storage.objectUser", pipeline, "stages its files")
    yield Grant(
        "bucket",
        names.staging,
        "roles/storage.legacyBucketReader",
        pipeline,
        "Dataflow looks at the bucket of its staging files",
    )
    yield Grant(
        "repository",
        names.repository,
        "roles/artifactregistry.reader",
        pipeline,
        "pulls the workers' image",
    )
    yield DatasetGrant(
        f"{names.project}.{names.dataset}", "WRITER", names.account("pipeline"), "writes the tables"
    )


def dashboard_grants(names: Names) -> Iterator[Resource]:
    yield Grant(
        "project",
        f"projects/{names.project}",
        "roles/bigquery.jobUser",
        member(names, "dashboard"),
        "runs queries",
    )
    yield DatasetGrant(
        f"{names.project}.{names.dataset}", "READER", names.account("dashboard"), "reads the views"
    )


def scheduler_grants(names: Names) -> Iterator[Resource]:
    scheduler = member(names, "scheduler")
    yield Grant(
        "project",
        f"projects/{names.project}",
        "roles/dataflow.developer",
        scheduler,
        "launches the forecast",
    )
    yield Grant(
        "account",
        f"projects/{names.project}/serviceAccounts/{names.account('pipeline')}",
        "roles/iam.serviceAccountUser",
        scheduler,
        "the forecast runs as the pipeline",
    )
    yield Grant(
        "bucket",
        names.bucket,
        "roles/storage.objectViewer",
        scheduler,
        "reads the template that it launches",
    )


def pubsub_grants(names: Names) -> Iterator[Resource]:
    """Pub/Sub itself moves an alert that nobody takes."""
    why = "moves what nobody acknowledged"
    yield Grant("topic", names.topic(UNDELIVERED), PUBLISHER, PUBSUB_AGENT, why)
    yield Grant("subscription", names.subscription(ALERTS), SUBSCRIBER, PUBSUB_AGENT, why)


def schedules(names: Names) -> Iterator[Resource]:
    yield ScheduleResource(
        f"{names.location}/jobs/mltox-poll",
        "*/15 * * * *",
        names.function,
        names.account("scheduler"),
        "one poll of X and Reddit",
    )
    yield ScheduleResource(
        f"{names.location}/jobs/mltox-forecast",
        "20 0 * * *",
        f"https://dataflow.googleapis.com/v1b3/{names.location}/flexTemplates:launch",
        names.account("scheduler"),
        "the coming week",
        {"launchParameter": forecast_launch(names)},
        to_google=True,
    )


def forecast_launch(names: Names) -> dict[str, object]:
    """Dataflow refuses a second job of the same name while one runs, which is what is wanted."""
    return {
        "jobName": "mltox-forecast",
        "containerSpecGcsPath": f"gs://{names.bucket}/templates/forecast.json",
        "parameters": {"warehouse": names.warehouse},
        "environment": {
            "serviceAccountEmail": names.account("pipeline"),
            "stagingLocation": f"gs://{names.staging}/staging",
            "tempLocation": f"gs://{names.staging}/temp",
        },
    }
