"""Objects of Cloud Storage, as files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mltox.base.errors import UserError


class ObjectError(UserError):
    """Cloud Storage does not give an object: it is not there, or may not be read."""


def download(uri: str, folder: Path, most: Mapping[str, int]) -> None:
    """Writes `uri`/NAME to `folder`/NAME for each name; `uri` is gs://BUCKET/PREFIX.

    Of an object with more than `most[name]` bytes one byte more than those. Raises ObjectError.
    """
    # The client takes a second to load, and a local bundle has no need of it.
    from google.api_core.exceptions import GoogleAPIError
    from google.auth.exceptions import GoogleAuthError
    from google.cloud.storage import Client

    bucket, _, prefix = uri.removeprefix("gs://").partition("/")
    try:
        source = Client().bucket(bucket)
        for name, bound in most.items():
            blob = source.blob("/".join(filter(None, (prefix.strip("/"), name))))
            blob.download_to_filename(str(folder / name), end=bound)
    except (GoogleAPIError, GoogleAuthError, OSError) as error:
        raise ObjectError(
            str(error).splitlines()[0] if str(error) else type(error).__name__
        ) from None
