"""Author keys whose secret lies in Secret Manager.

Pickled, they hold where the secret is and not what it is: the graph of a job is stored in a bucket
that others may read.
"""

from __future__ import annotations

from functools import cache

from mltox.google.secrets import SecretError, fetch
from mltox.posts.authors import ENVIRONMENT_VARIABLE, AuthorKeyError, AuthorKeys


class StoredAuthorKeys(AuthorKeys):
    """Fetches the secret where it is made and where it is unpickled, once a process."""

    def __init__(self, version: str) -> None:
        """Takes projects/P/secrets/S/versions/V; raises AuthorKeyError if it cannot be read."""
        super().__init__(_fetched(version))
        self._version = version

    def __reduce__(self) -> tuple[type[StoredAuthorKeys], tuple[str]]:
        return StoredAuthorKeys, (self._version,)


@cache
def _fetched(version: str) -> bytes:
    try:
        return fetch(ENVIRONMENT_VARIABLE, version).encode()
    except SecretError as error:
        raise AuthorKeyError(str(error)) from error
