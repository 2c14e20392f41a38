"""Who may ask: API keys, compared in constant time."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from pathlib import Path

from mltox.base.errors import UserError
from serving.contract.errors import bad_key, no_key

KEY_HEADER = "x-goog-api-key"


class KeysError(UserError):
    """A file of keys cannot be used; the message is one line for a person."""


class Keys:
    """The keys of a server. With none of them, whoever reaches the server may ask."""

    def __init__(self, keys: Iterable[str] = ()) -> None:
        self._digests = [_digest(key) for key in keys]

    def __bool__(self) -> bool:
        return bool(self._digests)

    def check(self, given: str | None, *, needed: bool = True) -> None:
        """Raises Refusal where the key is none of ours, or is missing though `needed`."""
        if not self._digests:
            return
        if not given:
            if needed:
                raise no_key()
            return
        digest = _digest(given)
        # Every key is compared, whichever fits: time tells nothing.
        if not sum(hmac.compare_digest(digest, known) for known in self._digests):
            raise bad_key()


def given_key(query: Mapping[str, str], headers: Mapping[str, str]) -> str | None:
    """The key of a request: of its query, of Google's header, or a bearer token."""
    if key := query.get("key") or headers.get(KEY_HEADER):
        return key
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else query.get("access_token")


def read_keys(file: Path) -> Keys:
    """One key a line; empty lines and lines that begin with # do not count. Raises KeysError."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise KeysError(f"cannot read the keys in {file}: {reason}") from None
    keys = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not keys:
        raise KeysError(f"there is no key in {file}")
    return Keys(keys)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
