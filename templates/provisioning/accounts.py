"""Service accounts and roles of the project's own, by the IAM API."""

from __future__ import annotations

from templates.provisioning.change import Change
from templates.provisioning.resources import Account, Role
from templates.provisioning.rest import Item, Rest


class Accounts:
    def __init__(self, rest: Rest, project: str) -> None:
        self._rest, self._parent = rest, f"v1/projects/{project}/serviceAccounts"

    def _item(self, account: Account) -> Item:
        path = f"{self._parent}/{account.name}"
        return Item("iam", path, "iam.serviceAccounts", f"account {account.name}")

    def ensure(self, account: Account) -> Change:
        body = {
            "accountId": account.name.partition("@")[0],
            "serviceAccount": {"displayName": f"mltox: {account.title}"},
        }
        return self._rest.ensure(self._item(account), {}, create=self._parent, body=body)

    def remove(self, account: Account) -> Change:
        return self._rest.remove(self._item(account))


class Roles:
    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    def _item(self, role: Role) -> Item:
        return Item("iam", f"v1/{role.name}", "iam.roles", f"role {role.name}")

    def ensure(self, role: Role) -> Change:
        item = self._item(role)
        parent, _, role_id = item.path.rpartition("/")
        wanted = {"title": role.title, "includedPermissions": list(role.permissions)}
        # A role that was removed keeps its name for weeks and can only be brought back.
        found = self._rest.get(item)
        if found is not None and found.get("deleted"):
            self._rest.call("POST", item, "undelete", path=f"{item.path}:undelete", body={})
        body = {"roleId": role_id, "role": {**wanted, "stage": "GA"}}
        return self._rest.ensure(item, wanted, create=parent, body=body)

    def remove(self, role: Role) -> Change:
        item = self._item(role)
        found = self._rest.get(item)
        if found is None or found.get("deleted"):
            return Change.ABSENT
        return self._rest.remove(item)
