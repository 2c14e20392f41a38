"""Keys of networks: out of the environment or Secret Manager, never out of an option or a file.

What is on a command line, others on the machine can read.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from mltox.base.errors import UserError, first_line
from mltox.base.own_secrets import remember

if TYPE_CHECKING:
    from google.cloud.secretmanager import SecretManagerServiceClient

SECRET_SECONDS = 20.0
_VERSION = re.compile(r"projects/[^/\s]+/secrets/[^/\s]+/versions/[^/\s]+")


class SecretError(UserError):
    """A key is missing, or cannot be fetched. Names the variable, never the value."""


def secret(name: str, client: SecretManagerServiceClient | None = None) -> str:
    """The secret called `name`, such as X_BEARER_TOKEN.

    It is the environment variable NAME; if that holds projects/P/secrets/S/versions/V, or
    NAME_SECRET does, it is that version in Secret Manager. Raises SecretError.
    """
    value = os.environ.get(name, "").strip()
    version = value if _VERSION.fullmatch(value) else os.environ.get(f"{name}_SECRET", "").strip()
    if value and value != version:
        return remember(value)
    if not version:
        raise SecretError(
            f"{name} is not set: put the key into the environment, or its name in Secret Manager"
            f" (projects/P/secrets/S/versions/latest) into {name}_SECRET"
        )
    if not _VERSION.fullmatch(version):
        raise SecretError(f"{name}_SECRET is written projects/P/secrets/S/versions/latest")
    return fetch(name, version, client)


def fetch(name: str, version: str, client: SecretManagerServiceClient | None = None) -> str:
    """What `version` holds in Secret Manager; `name` is for the error. Raises SecretError."""
    # The client takes a second to load, and a key in the environment has no need of it.
    from google.api_core.exceptions import GoogleAPICallError, RetryError
    from google.auth.exceptions import GoogleAuthError
    from google.cloud.secretmanager import SecretManagerServiceClient

    try:
        client = client or SecretManagerServiceClient()
        answer = client.access_secret_version(request={"name": version}, timeout=SECRET_SECONDS)
    except (GoogleAPICallError, RetryError, GoogleAuthError) as error:
        raise SecretError(f"{name}: cannot read {version}: {first_line(error)}") from error
    try:
        found = answer.payload.data.decode().strip()
    except UnicodeDecodeError:
        found = ""
    if not found:
        raise SecretError(f"{name}: {version} is empty or no text")
    return remember(found)
