from __future__ import annotations

import hashlib
import hmac
import pickle
import stat
from pathlib import Path

import pytest

from mltox.posts.authors import AuthorKeyError, AuthorKeys, is_author_key

SECRET = b"0123456789abcdef"


def test_a_key_is_the_hmac_of_source_and_id() -> None:
    expected = hmac.new(SECRET, b"x\x0077", hashlib.sha256).hexdigest()[:32]
    assert AuthorKeys(SECRET).key("x", "77") == expected
    assert is_author_key(expected)


def test_keys_differ_by_source_author_and_secret() -> None:
    keys = AuthorKeys(SECRET)
    other = AuthorKeys(b"another secret of tests")
    made = {keys.key("x", "1"), keys.key("x", "2"), keys.key("reddit", "1"), other.key("x", "1")}
    assert len(made) == 4


@pytest.mark.parametrize("value", ["", "77", "raw", "A" * 32, "0" * 31, "0" * 33, "0" * 32 + "\n"])
def test_what_is_no_key(value: str) -> None:
    assert not is_author_key(value)


def test_pickling_keeps_the_keys_and_the_repr_hides_the_secret() -> None:
    keys = AuthorKeys(SECRET)
    assert pickle.loads(pickle.dumps(keys)).key("x", "1") == keys.key("x", "1")
    assert "0123" not in repr(keys)


def test_any_string_has_a_key() -> None:
    assert is_author_key(AuthorKeys(SECRET).key("x", "\ud83d\0é"))


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(AuthorKeyError, match="15 bytes; it needs at least 16"):
        AuthorKeys(b"x" * 15)


def test_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MLTOX_AUTHOR_KEY", SECRET.decode())
    keys = AuthorKeys.from_environment(tmp_path)
    assert keys.key("x", "1") == AuthorKeys(SECRET).key("x", "1")
    assert not list(tmp_path.iterdir())


def test_without_it_a_secret_is_made_once_and_kept_private(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("MLTOX_AUTHOR_KEY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    first = AuthorKeys.from_environment()
    assert AuthorKeys.from_environment().key("x", "1") == first.key("x", "1")
    (file,) = (tmp_path / "mltox").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(file.read_bytes()) == 64


def test_a_folder_that_cannot_be_written_is_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("MLTOX_AUTHOR_KEY", raising=False)
    (tmp_path / "file").write_text("")
    with pytest.raises(AuthorKeyError, match="set MLTOX_AUTHOR_KEY instead") as caught:
        AuthorKeys.from_environment(tmp_path / "file")
    assert "\n" not in str(caught.value)
