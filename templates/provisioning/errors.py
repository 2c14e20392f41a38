"""What went wrong with a resource, in one line."""

from __future__ import annotations

from mltox.base.errors import UserError
from mltox.google.errors import one_line


class ProvisionError(UserError):
    """One line: the resource, and the permission that is missing or what Google said."""


def missing(name: str, permission: str, reason: str) -> ProvisionError:
    return ProvisionError(f"{name}: permission {permission} is missing: {one_line(reason)}")
