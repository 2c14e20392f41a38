from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from mltox.posts.reading.errors import InputError
from pipelines.runs.cloud_files import local_copy


def test_a_copy_has_the_bytes_and_the_name_and_is_gone_afterwards(tmp_path: Path) -> None:
    """Compressed files stay compressed: their name says what they are."""
    original = tmp_path / "posts.jsonl.gz"
    original.write_bytes(gzip.compress(b"{}\n"))
    with local_copy(str(original)) as copy:
        assert copy != original
        assert (copy.name, copy.read_bytes()) == (original.name, original.read_bytes())
    assert not copy.exists()


def test_what_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.jsonl")
    with pytest.raises(InputError, match=f"^cannot read {missing}: .*$"), local_copy(missing):
        pass
