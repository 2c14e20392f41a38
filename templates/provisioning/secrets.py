"""Secrets without a value, by the Secret Manager API."""

from __future__ import annotations

from templates.provisioning.change import Change
from templates.provisioning.resources import Secret
from templates.provisioning.rest import Item, Rest


class Secrets:
    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    def _item(self, secret: Secret) -> Item:
        path = f"v1/{secret.name}"
        return Item("secretmanager", path, "secretmanager.secrets", f"secret {secret.name}")

    def ensure(self, secret: Secret) -> Change:
        item = self._item(secret)
        parent, _, secret_id = item.path.rpartition("/")
        return self._rest.ensure(
            item,
            {},
            create=parent,
            body={"replication": {"automatic": {}}},
            params={"secretId": secret_id},
        )

    def remove(self, secret: Secret) -> Change:
        return self._rest.remove(self._item(secret))
