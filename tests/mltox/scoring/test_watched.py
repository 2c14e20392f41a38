"""A bundle replaced under a scorer at work."""

import json
import shutil
from pathlib import Path

import pytest

from mltox.scoring import DEFAULT_BUNDLE, BundleError
from mltox.scoring.bundle import DOCUMENT, MODEL
from mltox.scoring.watched import BundleNews, WatchedScorer

SOON = 1e-9


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEFAULT_BUNDLE, tmp_path / "bundle"))


def rename_labels(folder: Path) -> None:
    """Another model for all that matters: the same network, two of its labels exchanged."""
    document = json.loads((folder / DOCUMENT).read_text())
    document["labels"][-1], document["labels"][-2] = document["labels"][-2:]
    (folder / DOCUMENT).write_text(json.dumps(document))


def test_a_sound_bundle_is_taken(folder: Path) -> None:
    watched = WatchedScorer(str(folder), 1, SOON)
    before, change = watched.current()
    assert change == BundleNews.NONE
    rename_labels(folder)
    after, change = watched.current()
    assert change == BundleNews.SWAPPED
    assert after.model_sha256 != before.model_sha256
    assert watched.current() == (after, BundleNews.NONE)


def test_a_broken_bundle_leaves_the_old_one_and_is_reported_once(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watched = WatchedScorer(str(folder), 1, SOON)
    before, _ = watched.current()
    rename_labels(folder)
    (folder / MODEL).write_bytes(b"half a model")
    assert watched.current() == (before, BundleNews.REFUSED)
    assert watched.current() == (before, BundleNews.NONE)
    assert "is refused" in caplog.text and before.model in caplog.text
    shutil.copy(DEFAULT_BUNDLE / MODEL, folder / MODEL)
    after, change = watched.current()
    assert (change, after is not before) == (BundleNews.SWAPPED, True)


def test_it_does_not_look_where_it_was_not_asked_to(folder: Path) -> None:
    watched = WatchedScorer(str(folder), 1, 0)
    rename_labels(folder)
    assert watched.current()[1] == BundleNews.NONE


def test_the_first_bundle_must_be_sound(folder: Path) -> None:
    (folder / DOCUMENT).unlink()
    with pytest.raises(BundleError):
        WatchedScorer(str(folder), 1, 60)
