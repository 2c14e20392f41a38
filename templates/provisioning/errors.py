"""What went wrong with a resource, in one line."""

from __future__ import annotations

from mltox.base.errors import UserError


class ProvisionError(UserError):
    """One line: the resource, and the permission that is missing or what Google said."""


def missing(name: str, permission: str, said: str) -> ProvisionError:
    return ProvisionError(f"{name}: permission {permission} is missing: {one_line(said)}")


def one_line(said: object) -> str:
    return (str(said).splitlines() or [type(said).__name__])[0]
