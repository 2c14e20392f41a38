"""Google APIs that a project switches on, by the Service Usage API."""

from __future__ import annotations

from templates.provisioning.change import Change
from templates.provisioning.resources import Api
from templates.provisioning.rest import Item, Rest


class Apis:
    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    def ensure(self, api: Api) -> Change:
        item = Item(
            "serviceusage",
            f"v1/projects/{api.project}/services/{api.name}",
            "serviceusage.services",
            f"API {api.name}",
        )
        if self._rest.call("GET", item, "get").get("state") == "ENABLED":
            return Change.THERE
        answer = self._rest.call("POST", item, "enable", path=f"{item.path}:enable", body={})
        self._rest.done(item, answer)
        return Change.CHANGED

    def remove(self, api: Api) -> Change:
        """Something else in the project may use it."""
        return Change.KEPT
