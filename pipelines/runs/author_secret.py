"""Author keys whose secret lies in Secret Manager, or in a file of a store that all workers read.

Pickled, they hold where the secret is and not what it is: the graph of a job is stored in a bucket
that others may read.
"""

from __future__ import annotations

from functools import cache

from mltox.base.places import is_remote
from mltox.google.secrets import SecretError, fetch
from mltox.posts.authors import ENVIRONMENT_VARIABLE, AuthorKeyError, AuthorKeys
from mltox.posts.reading.errors import InputError
from pipelines.runs.cloud_files import local_copy


class StoredAuthorKeys(AuthorKeys):
    """Fetches the secret where it is made and where it is unpickled, once a process."""

    def __init__(self, version: str) -> None:
        """Takes projects/P/secrets/S/versions/V or an address as s3://bucket/key; raises
        AuthorKeyError if it cannot be read."""
        super().__init__(_fetched(version))
        self._version = version

    def __reduce__(self) -> tuple[type[StoredAuthorKeys], tuple[str]]:
        return StoredAuthorKeys, (self._version,)


@cache
def _fetched(version: str) -> bytes:
    try:
        if is_remote(version):
            with local_copy(version) as copy:
                return copy.read_bytes().strip()
        return fetch(ENVIRONMENT_VARIABLE, version).encode()
    except (SecretError, InputError) as error:
        raise AuthorKeyError(str(error)) from error
