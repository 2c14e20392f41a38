"""The state of runs in the cloud: an object a name in Cloud Storage.

An object's generation is the version, and a precondition on it makes saving compare-and-set. That
is all that cursors need of a database, so it is no Firestore: that would be one more service to be
enabled, of which a project has one default mode for good, one more client to install, and one more
role. The bucket and the client are there for Dataflow anyway. An object takes about one write a
second, which is what a run makes at most. https://cloud.google.com/storage/docs/request-preconditions

STORAGE_EMULATOR_HOST is honoured.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping

import orjson
from google.api_core.exceptions import GoogleAPICallError, NotFound, PreconditionFailed, RetryError
from google.auth.exceptions import GoogleAuthError
from google.cloud import storage
from google.cloud.storage.retry import DEFAULT_RETRY
from requests.exceptions import RequestException

from ingest.cursors.store import Conflict, Kept, StateError, checked_name, packed, unpacked
from mltox.google.errors import no_credentials, one_line

STORAGE_SECONDS = 30.0
STORAGE_RETRY = DEFAULT_RETRY.with_timeout(STORAGE_SECONDS)
"""Also of writes: with a precondition, a second try can't undo what another run has done."""
_ERRORS = (GoogleAPICallError, RetryError, GoogleAuthError, RequestException)
_URI = re.compile(r"gs://(?P<bucket>[a-z0-9][a-z0-9._-]+)(?:/(?P<prefix>.*))?")


class GcsStore:
    """`gs://BUCKET/PREFIX`. Needs roles/storage.objectUser on the bucket."""

    def __init__(self, uri: str) -> None:
        match = _URI.fullmatch(uri)
        if match is None:
            raise StateError(f"--state {uri}: written gs://BUCKET/PREFIX")
        self._prefix = (match["prefix"] or "").strip("/")
        try:
            self._bucket = storage.Client().bucket(match["bucket"])
        except (GoogleAuthError, OSError) as error:  # OSError: nobody says which project
            raise StateError(f"--state {uri}: {no_credentials(error)}") from error

    def load(self, name: str) -> Kept:
        blob = self._blob(name)
        try:
            content = blob.download_as_bytes(timeout=STORAGE_SECONDS, retry=STORAGE_RETRY)
        except NotFound:
            return Kept({}, 0)
        except _ERRORS as error:
            raise StateError(f"cannot read {self._uri(blob)}: {one_line(error)}") from error
        return Kept(unpacked(content, self._uri(blob)).value, int(blob.generation))

    def save(self, name: str, value: Mapping[str, str], version: int) -> int:
        blob = self._blob(name)
        written = secrets.token_hex(8)
        try:
            blob.upload_from_string(
                packed(value, version, written=written),
                content_type="application/json",
                if_generation_match=version,
                timeout=STORAGE_SECONDS,
                retry=STORAGE_RETRY,
            )
            return int(blob.generation)
        except PreconditionFailed as error:
            mine = self._generation_of(name, written)
            if mine is not None:
                return mine
            raise Conflict(f"{self._uri(blob)}: another run has changed it meanwhile") from error
        except _ERRORS as error:
            raise StateError(f"cannot write {self._uri(blob)}: {one_line(error)}") from error

    def _generation_of(self, name: str, written: str) -> int | None:
        """The generation that a write of ours has made, if its answer was lost and it was sent a
        second time."""
        blob = self._blob(name)
        try:
            content = blob.download_as_bytes(timeout=STORAGE_SECONDS, retry=STORAGE_RETRY)
            return int(blob.generation) if orjson.loads(content).get("written") == written else None
        except (*_ERRORS, ValueError, AttributeError):
            return None

    def _blob(self, name: str) -> storage.Blob:
        path = f"{checked_name(name)}.json"
        return self._bucket.blob(f"{self._prefix}/{path}" if self._prefix else path)

    def _uri(self, blob: storage.Blob) -> str:
        return f"gs://{self._bucket.name}/{blob.name}"
