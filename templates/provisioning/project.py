"""The project's number, which some names have in them where others have its id."""

from __future__ import annotations

from functools import cached_property

from templates.provisioning.rest import Item, Rest

PLACEHOLDER = "{project_number}"


class ProjectNumber:
    """Asked for once, and only where a name needs it."""

    def __init__(self, rest: Rest, project: str) -> None:
        self._rest, self._project = rest, project

    @cached_property
    def _number(self) -> str:
        path = f"v3/projects/{self._project}"
        family = "resourcemanager.projects"
        item = Item("cloudresourcemanager", path, family, f"project {self._project}")
        return str(self._rest.call("GET", item, "get")["name"]).rpartition("/")[2]

    def fill(self, text: str) -> str:
        return text.replace(PLACEHOLDER, self._number) if PLACEHOLDER in text else text
