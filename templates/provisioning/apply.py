"""Goes through a plan, forwards to make it and backwards to remove it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

from google.api_core.exceptions import NotFound

from mltox.google.errors import one_line
from templates.provisioning.accounts import Accounts, Roles
from templates.provisioning.apis import Apis
from templates.provisioning.bigquery import DatasetGrants, Datasets
from templates.provisioning.buckets import Buckets
from templates.provisioning.change import Change
from templates.provisioning.errors import ProvisionError
from templates.provisioning.grants import Grants
from templates.provisioning.names import Names
from templates.provisioning.project import ProjectNumber
from templates.provisioning.pubsub import Subscriptions, Topics
from templates.provisioning.repositories import Repositories
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
from templates.provisioning.rest import ApiError, Rest
from templates.provisioning.schedules import Schedules
from templates.provisioning.secrets import Secrets


class ResourceMaker(Protocol):
    """What makes one kind of resource. Both raise ProvisionError, or ApiError with its reason."""

    def ensure(self, resource: Any, /) -> Change: ...

    def remove(self, resource: Any, /) -> Change: ...


Services = Mapping[type[Resource], ResourceMaker]


class ResourceOutcome(NamedTuple):
    """What became of a resource, or the one line on why nothing did."""

    resource: Resource
    change: Change | None
    problem: str = ""


def services(names: Names, rest: Rest) -> Services:
    number = ProjectNumber(rest, names.project)
    return {
        Api: Apis(rest),
        Account: Accounts(rest, names.project),
        Role: Roles(rest),
        TopicResource: Topics(),
        SubscriptionResource: Subscriptions(),
        Dataset: Datasets(names.project),
        Secret: Secrets(rest),
        Bucket: Buckets(rest),
        Repository: Repositories(rest),
        Grant: Grants(rest, number),
        DatasetGrant: DatasetGrants(names.project),
        ScheduleResource: Schedules(rest, number),
    }


def make(plan: Iterable[Resource], by: Services) -> Iterator[ResourceOutcome]:
    """Ends at the first that fails, since others stand on it."""
    for resource in plan:
        done = _done(resource, by[type(resource)].ensure)
        yield done
        if done.problem:
            return


def take_away(plan: Iterable[Resource], by: Services) -> Iterator[ResourceOutcome]:
    """In the opposite order; what can't be removed holds up nothing else."""
    for resource in reversed(tuple(plan)):
        yield _done(resource, by[type(resource)].remove)


def _done(resource: Resource, do: Callable[[Any], Change]) -> ResourceOutcome:
    try:
        return ResourceOutcome(resource, do(resource))
    except ProvisionError as error:
        return ResourceOutcome(resource, None, str(error))
    except (ApiError, NotFound) as error:
        return ResourceOutcome(
            resource, None, f"{resource.kind} {resource.name}: {one_line(error)}"
        )
