"""The repository of container images, by the Artifact Registry API."""

from __future__ import annotations

from templates.provisioning.change import Change
from templates.provisioning.resources import Repository
from templates.provisioning.rest import Item, Rest


class Repositories:
    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    def _item(self, repository: Repository) -> Item:
        return Item(
            "artifactregistry",
            f"v1/{repository.name}",
            "artifactregistry.repositories",
            f"repository {repository.name}",
        )

    def ensure(self, repository: Repository) -> Change:
        item = self._item(repository)
        parent, _, repository_id = item.path.rpartition("/")
        return self._rest.ensure(
            item,
            {},
            create=parent,
            body={"format": "DOCKER"},
            params={"repositoryId": repository_id},
        )

    def remove(self, repository: Repository) -> Change:
        """With its images, which `make template` builds again."""
        return self._rest.remove(self._item(repository))
