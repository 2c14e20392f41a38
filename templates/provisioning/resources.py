"""The kinds of resources that a plan is made of: plain data, no client."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

DAY_SECONDS = 86_400


@dataclass(frozen=True)
class Api:
    """A Google API that is switched on. It stays on when the rest is removed."""

    kind: ClassVar[str] = "API"
    project: str
    name: str

    @property
    def note(self) -> str:
        return "enabled"


@dataclass(frozen=True)
class TopicResource:
    kind: ClassVar[str] = "topic"
    name: str
    retention_days: int | None = None
    """How long a published message can be replayed from here; None: not at all."""

    @property
    def note(self) -> str:
        return f"replayable for {self.retention_days} days" if self.retention_days else ""


@dataclass(frozen=True)
class SubscriptionResource:
    """It never expires, however long nobody pulls."""

    kind: ClassVar[str] = "subscription"
    name: str
    topic: str
    ack_seconds: int = 60
    retention_days: int = 7
    backoff_seconds: tuple[int, int] = (10, 600)
    """Shortest and longest wait before a message that was not acknowledged comes again."""
    exactly_once: bool = False
    dead_letter_topic: str | None = None
    attempts: int = 10
    """Deliveries after which a message goes to the dead-letter topic, where there is one."""

    @property
    def note(self) -> str:
        parts = [f"of {self.topic.rpartition('/')[2]}", f"keeps {self.retention_days} days"]
        if self.exactly_once:
            parts.append("exactly once")
        if self.dead_letter_topic:
            to = self.dead_letter_topic.rpartition("/")[2]
            parts.append(f"after {self.attempts} deliveries to {to}")
        return ", ".join(parts)


@dataclass(frozen=True)
class Dataset:
    """With all tables and views of `mltox.warehouse`."""

    kind: ClassVar[str] = "dataset"
    name: str
    """project.dataset"""
    location: str

    @property
    def note(self) -> str:
        return f"with its tables and views, in {self.location}"


@dataclass(frozen=True)
class Account:
    kind: ClassVar[str] = "account"
    name: str
    """Its address."""
    title: str

    @property
    def note(self) -> str:
        return self.title


@dataclass(frozen=True)
class Role:
    """A role of the project's own, where each of Google's would allow far more."""

    kind: ClassVar[str] = "role"
    name: str
    title: str
    permissions: tuple[str, ...]

    @property
    def note(self) -> str:
        return ", ".join(self.permissions)


@dataclass(frozen=True)
class Secret:
    """Without a value: whoever has it adds it, and no command of ours sees it."""

    kind: ClassVar[str] = "secret"
    name: str

    @property
    def note(self) -> str:
        return "empty until you add a version"


@dataclass(frozen=True)
class Bucket:
    """Closed to the public, with permissions of the bucket alone and none of single objects."""

    kind: ClassVar[str] = "bucket"
    name: str
    project: str
    location: str
    versioned: bool = False
    temporary: tuple[str, ...] = ()
    """Folders whose objects go after two weeks."""

    @property
    def note(self) -> str:
        parts = [f"in {self.location}"]
        if self.versioned:
            parts.append("keeps older versions")
        if self.temporary:
            parts.append(f"empties {', '.join(self.temporary)} after 14 days")
        return ", ".join(parts)


@dataclass(frozen=True)
class Repository:
    kind: ClassVar[str] = "repository"
    name: str

    @property
    def note(self) -> str:
        return "of container images"


@dataclass(frozen=True)
class Grant:
    """A role on one resource. `{project_number}` in the member is filled in when it is made."""

    kind: ClassVar[str] = "grant"
    on: str
    """Kind of the resource: project, topic, subscription, secret, bucket, account, repository."""
    path: str
    role: str
    member: str
    why: str

    @property
    def name(self) -> str:
        return f"{self.role} on {self.on} {self.path.rpartition('/')[2]}"

    @property
    def note(self) -> str:
        return f"{self.member.partition(':')[2].partition('@')[0]}: {self.why}"


@dataclass(frozen=True)
class DatasetGrant:
    """BigQuery's datasets keep a list of their own instead of a policy."""

    kind: ClassVar[str] = "grant"
    dataset: str
    role: str
    """READER (roles/bigquery.dataViewer) or WRITER (roles/bigquery.dataEditor)."""
    email: str
    why: str

    @property
    def name(self) -> str:
        return f"{self.role} on dataset {self.dataset}"

    @property
    def note(self) -> str:
        return f"{self.email.partition('@')[0]}: {self.why}"


@dataclass(frozen=True)
class ScheduleResource:
    """A request at fixed times (UTC). It is made paused: what it calls may not be there yet."""

    kind: ClassVar[str] = "schedule"
    name: str
    cron: str
    uri: str
    """`{project_number}` is filled in when it is made."""
    account: str
    """Whose token it carries."""
    why: str
    body: Mapping[str, object] = field(default_factory=dict)
    to_google: bool = False
    """Whether a Google API is called (OAuth) or a service of ours (OIDC)."""

    @property
    def payload(self) -> bytes:
        return json.dumps(self.body, sort_keys=True).encode()

    @property
    def note(self) -> str:
        return f"{self.cron} UTC, paused: {self.why}"


Resource = (
    Api
    | TopicResource
    | SubscriptionResource
    | Dataset
    | Account
    | Role
    | Secret
    | Bucket
    | Repository
    | Grant
    | DatasetGrant
    | ScheduleResource
)
