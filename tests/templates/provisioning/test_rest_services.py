"""Each REST service against a server that keeps state: made once, mended, removed once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import requests

from templates.provisioning.accounts import Accounts, Roles
from templates.provisioning.apis import Apis
from templates.provisioning.apply import make, services, take_away
from templates.provisioning.buckets import Buckets
from templates.provisioning.change import Change
from templates.provisioning.errors import ProvisionError
from templates.provisioning.grants import Grants
from templates.provisioning.names import Names
from templates.provisioning.plan import plan
from templates.provisioning.project import ProjectNumber
from templates.provisioning.resources import (
    Account,
    Api,
    Bucket,
    Dataset,
    DatasetGrant,
    Grant,
    Role,
    ScheduleResource,
    Secret,
    SubscriptionResource,
    TopicResource,
)
from templates.provisioning.rest import REST_TRIES, Rest
from templates.provisioning.schedules import Schedules
from templates.provisioning.secrets import Secrets
from tests.fixtures.provisioning import Local

BY_CLIENT = (TopicResource, SubscriptionResource, Dataset, DatasetGrant)
NAMES = Names("some-project", "europe-west1")
BY_REST = [each for each in plan(NAMES) if not isinstance(each, BY_CLIENT)]
ROLE = Role("projects/some-project/roles/mltoxTracking", "title", ("pubsub.topics.get",))
SECRET = Secret("projects/some-project/secrets/mltox-author-key")
GRANT = Grant("secret", SECRET.name, "roles/r", "serviceAccount:a@b", "because")
BUCKET = Bucket("some-project-mltox", "some-project", "europe-west1")
SCHEDULE = ScheduleResource(
    "projects/p/locations/r/jobs/j", "* * * * *", "https://x", "a@b", "because"
)


def number(rest: Rest) -> ProjectNumber:
    return ProjectNumber(rest, "some-project")


def schedules(rest: Rest) -> Schedules:
    return Schedules(rest, number(rest))


def test_the_plan_is_made_once_and_removed_once(local: Local) -> None:
    rest, google, _ = local
    by = services(NAMES, rest)
    first = [done.change for done in make(BY_REST, by)]
    assert set(first) == {Change.MADE, Change.CHANGED}  # an API is not made but switched on
    before = dict(google.kept)
    assert {done.change for done in make(BY_REST, by)} == {Change.THERE}
    assert google.kept == before
    removed = [done.change for done in take_away(BY_REST, by)]
    assert set(removed) == {Change.REMOVED, Change.KEPT}
    left = [key for key, value in google.kept.items() if not value.get("deleted")]
    assert all(key.startswith("serviceusage/") for key in left)
    again = {done.change for done in take_away(BY_REST, by)}
    assert again == {Change.ABSENT, Change.KEPT}


def test_it_can_be_made_again_after_it_was_removed(local: Local) -> None:
    """A role that was removed is brought back, since its name stays taken."""
    rest, _, _ = local
    by = services(NAMES, rest)
    for _ in make(BY_REST, by):
        pass
    for _ in take_away(BY_REST, by):
        pass
    assert not [done.problem for done in make(BY_REST, by) if done.problem]


DRIFT: dict[str, tuple[Any, Any, Any]] = {
    "role": (Roles, ROLE, replace(ROLE, permissions=("pubsub.topics.get", "x.y.z"))),
    "bucket": (Buckets, BUCKET, replace(BUCKET, versioned=True)),
    "bucket's rules": (Buckets, BUCKET, replace(BUCKET, temporary=("temp/",))),
    "schedule": (schedules, SCHEDULE, replace(SCHEDULE, cron="0 * * * *")),
    "request": (schedules, SCHEDULE, replace(SCHEDULE, body={"a": 1})),
}


@pytest.mark.parametrize("case", DRIFT)
def test_settings_that_differ_are_set(local: Local, case: str) -> None:
    service, before, after = DRIFT[case]
    by = service(local[0])
    assert [by.ensure(each) for each in (before, after, after)] == [
        Change.MADE,
        Change.CHANGED,
        Change.THERE,
    ]


def test_a_bucket_is_closed_to_the_public(local: Local) -> None:
    rest, google, _ = local
    Buckets(rest).ensure(BUCKET)
    made = google.kept[f"storage/storage/v1/b/{BUCKET.name}"]
    assert made["iamConfiguration"] == {
        "uniformBucketLevelAccess": {"enabled": True},
        "publicAccessPrevention": "enforced",
    }


def test_a_secret_gets_no_value(local: Local) -> None:
    rest, google, _ = local
    Secrets(rest).ensure(SECRET)
    assert not [line for line in google.requests if "version" in line.lower()]


def test_a_bucket_with_objects_stays(local: Local) -> None:
    rest, google, _ = local
    Buckets(rest).ensure(BUCKET)
    google.full.add(BUCKET.name)
    with pytest.raises(ProvisionError, match=f"bucket {BUCKET.name} is not empty; .* gcloud sto"):
        Buckets(rest).remove(BUCKET)
    assert f"storage/storage/v1/b/{BUCKET.name}" in google.kept


def test_a_new_schedule_is_paused_and_one_that_runs_goes_on(local: Local) -> None:
    rest, google, _ = local
    by = schedules(rest)
    by.ensure(SCHEDULE)
    job = google.kept[f"cloudscheduler/v1/{SCHEDULE.name}"]
    assert job["state"] == "PAUSED"
    job["state"] = "ENABLED"
    by.ensure(replace(SCHEDULE, cron="0 * * * *"))
    assert job["state"] == "ENABLED"


def test_the_function_is_called_where_cloud_run_has_it(local: Local) -> None:
    rest, google, _ = local
    (poll,) = (each for each in BY_REST if each.name.endswith("/jobs/mltox-poll"))
    assert isinstance(poll, ScheduleResource)
    schedules(rest).ensure(poll)
    target = google.kept[f"cloudscheduler/v1/{poll.name}"]["httpTarget"]
    uri = "https://mltox-ingest-42.europe-west1.run.app"
    assert target["uri"] == target["oidcToken"]["audience"] == uri
    assert schedules(rest).ensure(poll) is Change.THERE


def test_other_bindings_and_conditions_stay(local: Local) -> None:
    rest, google, _ = local
    Secrets(rest).ensure(SECRET)
    key = f"secretmanager/v1/{SECRET.name}"
    others: list[dict[str, Any]] = [
        {"role": "roles/r", "members": ["user:c@d"], "condition": {"expression": "false"}},
        {"role": "roles/r", "members": ["user:e@f"]},
        {"role": "roles/s", "members": ["user:g@h"]},
    ]
    google.policies[key] = {"etag": "7", "version": 3, "bindings": [dict(each) for each in others]}
    grants = Grants(rest, number(rest))
    assert grants.ensure(GRANT) is Change.MADE
    assert google.policies[key]["bindings"][1]["members"] == ["user:e@f", GRANT.member]
    assert grants.remove(GRANT) is Change.REMOVED
    assert google.policies[key]["bindings"] == others
    assert google.policies[key]["version"] == 3


def test_a_policy_that_changed_meanwhile_is_read_again(local: Local) -> None:
    rest, google, waited = local
    for on, path, key in (
        ("secret", SECRET.name, f"secretmanager/v1/{SECRET.name}"),
        ("bucket", BUCKET.name, f"storage/storage/v1/b/{BUCKET.name}"),
    ):
        google.races.add(key)
        assert Grants(rest, number(rest)).ensure(replace(GRANT, on=on, path=path)) is Change.MADE
        assert google.policies[key]["bindings"] == [{"role": GRANT.role, "members": [GRANT.member]}]
    assert [int(wait) for wait in waited] == [1, 1]


def test_an_account_that_is_not_known_yet_is_waited_for(local: Local) -> None:
    rest, google, waited = local
    google.unknown_members[GRANT.member] = 3
    assert Grants(rest, number(rest)).ensure(GRANT) is Change.MADE
    assert [int(wait) for wait in waited] == [1, 2, 4]


def test_pubsubs_own_account_has_the_projects_number(local: Local) -> None:
    rest, google, _ = local
    member = "serviceAccount:service-{project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"
    Grants(rest, number(rest)).ensure(replace(GRANT, member=member))
    (binding,) = google.policies[f"secretmanager/v1/{SECRET.name}"]["bindings"]
    assert binding["members"] == ["serviceAccount:service-42@gcp-sa-pubsub.iam.gserviceaccount.com"]


def test_an_api_switched_on_a_moment_ago_is_waited_for(local: Local) -> None:
    rest, google, waited = local
    google.off["secretmanager"] = 4
    assert Secrets(rest).ensure(SECRET) is Change.MADE
    assert [int(wait) for wait in waited] == [1, 2, 4, 8]


def test_an_api_that_stays_off_is_told(local: Local) -> None:
    rest, google, _ = local
    google.off["secretmanager"] = 100
    (done,) = make([SECRET], services(NAMES, rest))
    assert done.problem == f"secret {SECRET.name}: secretmanager has not been used before"


DENIED: dict[str, tuple[Any, Any]] = {
    "serviceusage.services.enable": (Apis, Api("some-project", "pubsub.googleapis.com")),
    "iam.roles.create": (Roles, ROLE),
    "secretmanager.secrets.create": (Secrets, SECRET),
    "secretmanager.secrets.get": (Secrets, SECRET),
    "storage.buckets.create": (Buckets, BUCKET),
    "cloudscheduler.jobs.create": (schedules, SCHEDULE),
}


@pytest.mark.parametrize("permission", DENIED)
def test_a_missing_permission_is_one_line_with_the_resource(local: Local, permission: str) -> None:
    rest, google, waited = local
    service, resource = DENIED[permission]
    google.denied.add(permission)
    with pytest.raises(ProvisionError) as caught:
        service(rest).ensure(resource)
    said = str(caught.value)
    assert resource.name in said and f"permission {permission} is missing" in said
    assert "\n" not in said and not waited


@pytest.mark.parametrize("permission", ["getIamPolicy", "setIamPolicy"])
def test_a_policy_that_may_not_be_set(local: Local, permission: str) -> None:
    rest, google, _ = local
    google.denied.add(f"secretmanager.secrets.{permission}")
    line = f"secret mltox-author-key: permission secretmanager.secrets.{permission} is missing"
    with pytest.raises(ProvisionError, match=line):
        Grants(rest, number(rest)).ensure(GRANT)


def test_nothing_is_made_after_what_failed(local: Local) -> None:
    rest, google, _ = local
    google.denied.add("iam.serviceAccounts.create")
    account = Account("mltox-x@some-project.iam.gserviceaccount.com", "title")
    outcome = list(make([SECRET, account, BUCKET], services(NAMES, rest)))
    assert [done.change for done in outcome] == [Change.MADE, None]
    assert "iam.serviceAccounts.create" in outcome[1].problem
    assert not any("storage" in key for key in google.kept)


def test_removing_goes_on_after_what_failed(local: Local) -> None:
    rest, google, _ = local
    by = services(NAMES, rest)
    list(make([SECRET, BUCKET], by))
    google.full.add(BUCKET.name)
    outcome = list(take_away([SECRET, BUCKET], by))
    assert [done.change for done in outcome] == [None, Change.REMOVED]


def test_somebody_else_made_it_in_between(local: Local) -> None:
    """It was not there when asked for, and is when it is to be made."""
    rest, google, _ = local
    account = Account("mltox-x@some-project.iam.gserviceaccount.com", "title")
    key = f"iam/v1/projects/some-project/serviceAccounts/{account.name}"
    google.kept[key] = {"email": account.name}
    google.hidden.add(key)
    assert Accounts(rest, "some-project").ensure(account) is Change.THERE
    assert google.kept[key] == {"email": account.name}


def test_nobody_answers() -> None:
    waited: list[float] = []
    with requests.Session() as session:
        rest = Rest(session, "http://127.0.0.1:9/{service}", waited.append)
        with pytest.raises(ProvisionError, match=f"secret {SECRET.name}: secretmanager can't be"):
            Secrets(rest).ensure(SECRET)
    assert [int(wait) for wait in waited] == [1, 2, 4, 8, 16, 30, 30, 30]
    assert len(waited) == REST_TRIES - 1
