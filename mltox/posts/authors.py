"""Author keys: the same author has the same key, and nobody without the secret can tell whose.

HMAC-SHA256 (RFC 2104) over source and raw id. A plain hash would not do: account ids are few enough
to be tried one by one.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import re
import secrets
from pathlib import Path

from mltox.base.errors import UserError

ENVIRONMENT_VARIABLE = "MLTOX_AUTHOR_KEY"
MIN_KEY_BYTES = 16

_KEY_FORM = re.compile(r"[0-9a-f]{32}")


class AuthorKeyError(UserError, ValueError):
    """The secret for author keys is missing, too short or unreadable."""


class AuthorKeys:
    """Turns raw author ids into keys of 32 hex digits. Picklable; its repr hides the secret."""

    def __init__(self, key: bytes) -> None:
        """Takes the secret; raises AuthorKeyError if it has fewer than 16 bytes."""
        if len(key) < MIN_KEY_BYTES:
            raise AuthorKeyError(
                f"the key for author hashes has {len(key)} bytes; it needs at least {MIN_KEY_BYTES}"
            )
        self._key = key
        # A copy of this is quicker than hmac.digest, which also lets other threads of Python in.
        self._keyed = hmac.new(key, digestmod="sha256")

    def key(self, source: str, raw_id: str) -> str:
        """Returns the key of an author: 32 hex digits, different for each source."""
        message = f"{source}\0{raw_id}".encode("utf-8", "surrogatepass")
        keyed = self._keyed.copy()
        keyed.update(message)
        return keyed.hexdigest()[:32]

    def __reduce__(self) -> tuple[type[AuthorKeys], tuple[bytes] | tuple[str]]:
        return AuthorKeys, (self._key,)

    def __repr__(self) -> str:
        return "AuthorKeys(…)"

    @classmethod
    def from_environment(cls, state_dir: Path | None = None) -> AuthorKeys:
        """Returns the keys of this installation.

        The secret is MLTOX_AUTHOR_KEY if that is set; else a random one, made at the first call and
        kept in a file that only its owner can read (`author_key` in `state_dir`, by default
        $XDG_STATE_HOME/mltox or ~/.local/state/mltox). Raises AuthorKeyError.
        """
        secret = os.environ.get(ENVIRONMENT_VARIABLE)
        if secret:
            return cls(secret.encode("utf-8", "surrogateescape"))
        path = (state_dir or _state_dir()) / "author_key"
        try:
            return cls(_kept_secret(path))
        except (OSError, ValueError) as error:
            raise AuthorKeyError(
                f"cannot keep the key for author hashes in {path} ({error}); "
                f"set {ENVIRONMENT_VARIABLE} instead"
            ) from error


def is_author_key(value: str) -> bool:
    """Returns whether a string has the form of an author key."""
    return _KEY_FORM.fullmatch(value) is not None


def _state_dir() -> Path:
    base = os.environ.get("XDG_STATE_HOME")
    return (Path(base) if base else Path.home() / ".local" / "state") / "mltox"


def _kept_secret(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        # Written whole under another name and then linked: a second process that starts at the
        # same moment sees either no file or the finished one.
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_hex(32).encode())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    return path.read_bytes().strip()
