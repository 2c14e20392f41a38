"""Roles on single resources, in the IAM policies that these carry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from templates.provisioning.change import Change
from templates.provisioning.project import ProjectNumber
from templates.provisioning.resources import Grant
from templates.provisioning.rest import CONFLICT, ApiError, Item, Json, Rest

VERSION = 3
"""Of a policy with conditions, which must be asked for or they are lost when it is set."""


class Policy(NamedTuple):
    """How a kind of resource gives its policy and takes one."""

    service: str
    prefix: str
    family: str
    get: str
    query: Mapping[str, str] = {}

    def item(self, grant: Grant) -> Item:
        name = f"{grant.on} {grant.path.rpartition('/')[2]}"
        return Item(self.service, f"{self.prefix}{grant.path}", self.family, name)


_OPTIONS = {"options.requestedPolicyVersion": str(VERSION)}
POLICIES: Mapping[str, Policy] = {
    "project": Policy("cloudresourcemanager", "v3/", "resourcemanager.projects", "POST"),
    "topic": Policy("pubsub", "v1/", "pubsub.topics", "GET", _OPTIONS),
    "subscription": Policy("pubsub", "v1/", "pubsub.subscriptions", "GET", _OPTIONS),
    "secret": Policy("secretmanager", "v1/", "secretmanager.secrets", "GET", _OPTIONS),
    "account": Policy("iam", "v1/", "iam.serviceAccounts", "POST"),
    "repository": Policy(
        "artifactregistry", "v1/", "artifactregistry.repositories", "GET", _OPTIONS
    ),
    "bucket": Policy(
        "storage",
        "storage/v1/b/",
        "storage.buckets",
        "GET",
        {"optionsRequestedPolicyVersion": str(VERSION)},
    ),
}


class Grants:
    def __init__(self, rest: Rest, number: ProjectNumber) -> None:
        self._rest, self._number = rest, number

    def ensure(self, grant: Grant) -> Change:
        changed = self._modify(
            grant, lambda policy: add(policy, grant.role, self._number.fill(grant.member))
        )
        return Change.MADE if changed else Change.THERE

    def remove(self, grant: Grant) -> Change:
        try:
            changed = self._modify(
                grant, lambda policy: take(policy, grant.role, self._number.fill(grant.member))
            )
        except ApiError as refused:
            if refused.status != 404:
                raise
            return Change.ABSENT
        return Change.REMOVED if changed else Change.ABSENT

    def _modify(self, grant: Grant, change: Callable[[Json], bool]) -> bool:
        """Reads, changes and sets; from the start where somebody else set it in between."""
        item = POLICIES[grant.on].item(grant)

        def modify() -> bool:
            policy = self._get(grant, item)
            if not change(policy):
                return False
            self._set(grant, item, policy)
            return True

        return bool(self._rest.patiently(passing)(modify))

    def _get(self, grant: Grant, item: Item) -> Json:
        how = POLICIES[grant.on]
        if grant.on == "bucket":
            path = f"{item.path}/iam"
            return self._rest.call("GET", item, "getIamPolicy", path=path, params=how.query)
        path = f"{item.path}:getIamPolicy"
        if how.get == "POST":
            body = {"options": {"requestedPolicyVersion": VERSION}}
            return self._rest.call("POST", item, "getIamPolicy", path=path, body=body)
        return self._rest.call("GET", item, "getIamPolicy", path=path, params=how.query)

    def _set(self, grant: Grant, item: Item, policy: Json) -> None:
        policy = {**policy, "version": VERSION}
        if grant.on == "bucket":
            self._rest.call("PUT", item, "setIamPolicy", path=f"{item.path}/iam", body=policy)
        else:
            path = f"{item.path}:setIamPolicy"
            self._rest.call("POST", item, "setIamPolicy", path=path, body={"policy": policy})


def passing(error: BaseException) -> bool:
    """Somebody else set the policy, or an account made a moment ago is not known everywhere yet."""
    if not isinstance(error, ApiError):
        return False
    unknown = error.status == 400 and "does not exist" in str(error)
    return error.status in CONFLICT or unknown


def add(policy: Json, role: str, member: str) -> bool:
    """Whether the policy had to change. Bindings with a condition are somebody else's."""
    bindings: list[Json] = policy.setdefault("bindings", [])
    for binding in bindings:
        if binding["role"] == role and "condition" not in binding:
            if member in binding.get("members", []):
                return False
            binding.setdefault("members", []).append(member)
            return True
    bindings.append({"role": role, "members": [member]})
    return True


def take(policy: Json, role: str, member: str) -> bool:
    """Whether the policy had to change; a binding without members goes."""
    changed = False
    for binding in list(policy.get("bindings", [])):
        if binding["role"] != role or "condition" in binding:
            continue
        if member in binding.get("members", []):
            binding["members"].remove(member)
            changed = True
        if not binding.get("members"):
            policy["bindings"].remove(binding)
    return changed
