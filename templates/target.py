"""Where the templates go and as whom their jobs run, out of the variables of `make`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mltox.base.errors import UserError
from templates.provisioning.names import Names


class TargetError(UserError):
    """A variable is missing or cannot be used. One line for the person."""


def need(variables: Mapping[str, str], names: Iterable[str]) -> None:
    """Raises TargetError with all that are missing or empty."""
    missing = [name for name in names if not variables.get(name)]
    if missing:
        example = " ".join(f"{name}=…" for name in missing)
        raise TargetError(f"{', '.join(missing)} must be given: make … {example}")


@dataclass(frozen=True)
class Target:
    """A project as `mltox provision` makes it, unless variables such as BUCKET say otherwise."""

    project: str
    region: str
    bucket: str
    staging: str
    repository: str
    account: str
    names: Names

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> Target:
        need(variables, ("PROJECT", "REGION"))
        names = Names(variables["PROJECT"], variables["REGION"])
        return cls(
            project=names.project,
            region=names.region,
            bucket=variables.get("BUCKET") or names.bucket,
            staging=variables.get("STAGING_BUCKET") or names.staging,
            repository=variables.get("REPOSITORY") or "mltox",
            account=variables.get("SERVICE_ACCOUNT") or names.account("pipeline"),
            names=names,
        )

    @property
    def registry(self) -> str:
        return f"{self.region}-docker.pkg.dev/{self.project}/{self.repository}"

    def image(self, pipeline: str, tag: str) -> str:
        return f"{self.registry}/{pipeline}:{tag}"

    def template(self, pipeline: str) -> str:
        return f"gs://{self.bucket}/templates/{pipeline}.json"
