"""How the resources of a project are called. Everything that needs one of them asks here."""

from __future__ import annotations

import re
from dataclasses import dataclass

PROJECT = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
REGION = re.compile(r"[a-z]+(-[a-z]+)+[0-9]+")
DATASET = re.compile(r"\w{1,1024}", re.ASCII)


@dataclass(frozen=True)
class Names:
    """Of one project, region and dataset."""

    project: str
    region: str
    dataset: str = "mltox"

    def topic(self, name: str) -> str:
        return f"projects/{self.project}/topics/{name}"

    def subscription(self, name: str) -> str:
        return f"projects/{self.project}/subscriptions/{name}"

    def account(self, name: str) -> str:
        """The address of a service account."""
        return f"mltox-{name}@{self.project}.iam.gserviceaccount.com"

    def secret(self, name: str) -> str:
        return f"projects/{self.project}/secrets/mltox-{name}"

    @property
    def warehouse(self) -> str:
        return f"bq://{self.project}.{self.dataset}"

    @property
    def bucket(self) -> str:
        """Names of buckets are shared by everybody, and so are those of projects."""
        return f"{self.project}-mltox"

    @property
    def staging(self) -> str:
        """What the workers write; nothing that is launched lies there."""
        return f"{self.project}-mltox-staging"

    @property
    def cursors(self) -> str:
        return f"{self.project}-mltox-cursors"

    @property
    def location(self) -> str:
        return f"projects/{self.project}/locations/{self.region}"

    @property
    def repository(self) -> str:
        return f"{self.location}/repositories/mltox"

    @property
    def function(self) -> str:
        """Where the ingest function answers once Cloud Run has it as `mltox-ingest`; the number of
        the project is to be filled in."""
        return f"https://mltox-ingest-{{project_number}}.{self.region}.run.app"
