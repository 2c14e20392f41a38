"""A model that does not work is not let near posts, at the start or as a swap."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mltox.scoring import DEFAULT_BUNDLE, BundleError, Scorer, load_bundle
from mltox.scoring.bundle import DOCUMENT, MODEL, TOKENIZER
from mltox.scoring.trial import check_scores, opened, within
from mltox.scoring.watched import BundleNews, WatchedScorer
from tests.mltox.scoring.tiny_onnx import model

NAN, INF = float("nan"), float("inf")
LABELS = 7
GOOD = [0.0001] * LABELS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEFAULT_BUNDLE, tmp_path / "bundle"))


def put(folder: Path, content: bytes) -> None:
    """A bundle whose files are what its document says."""
    (folder / MODEL).unlink()
    (folder / MODEL).write_bytes(content)
    labels = json.loads((DEFAULT_BUNDLE / DOCUMENT).read_text())["labels"][:LABELS]
    edit(folder, lambda document: document.update(labels=labels))
    edit(folder, lambda document: document.pop("stages", None))
    edit(
        folder,
        lambda document: document["files"].update({MODEL: hashlib.sha256(content).hexdigest()}),
    )


def edit(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    document = json.loads((folder / DOCUMENT).read_text())
    change(document)
    (folder / DOCUMENT).write_text(json.dumps(document))


def labels_of_default() -> int:
    return len(load_bundle(DEFAULT_BUNDLE).labels)


def test_a_model_that_works_is_taken(folder: Path) -> None:
    put(folder, model(GOOD[: labels_of_default()], labels_of_default(), told=labels_of_default()))
    assert opened(folder).score(["hello"])[0].toxicity is not None
    check_scores(Scorer(DEFAULT_BUNDLE))


@pytest.mark.parametrize(
    ("weight", "complaint"),
    [(NAN, "no probability"), (0.0, "same of every text"), (INF, "same of every text"),
     (1e30, "same of every text")],
)  # fmt: skip
def test_numbers_that_are_no_scores(folder: Path, weight: float, complaint: str) -> None:
    count = labels_of_default()
    put(folder, model([weight] * count, count, told=count))
    Scorer(folder)  # its files are sound
    with pytest.raises(BundleError, match=complaint):
        opened(folder)


def test_one_label_of_many_that_is_none(folder: Path) -> None:
    count = labels_of_default()
    put(folder, model([0.0001] * (count - 1) + [NAN], count, told=count))
    with pytest.raises(BundleError, match="no probability"):
        opened(folder)


@pytest.mark.parametrize("columns", [1, 3])
def test_a_shape_that_is_not_what_the_model_says(folder: Path, columns: int) -> None:
    put(folder, model([0.0001] * columns, columns, told=labels_of_default()))
    with pytest.raises(BundleError):
        opened(folder)


def test_weights_in_a_file_of_their_own_are_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No hash covers them, so that they could change under a model that was checked."""
    count = labels_of_default()
    for place in (folder, folder.parent):
        (place / "weights.bin").write_bytes(struct.pack(f"<{count}f", *GOOD[:count]))
    monkeypatch.chdir(folder)
    for location in ("weights.bin", "../weights.bin", str(folder / "weights.bin"), "/dev/zero"):
        put(folder, model(GOOD[:count], count, location, told=count))
        with pytest.raises(BundleError, match="does not load"):
            Scorer(folder)


@pytest.mark.parametrize("name", [MODEL, TOKENIZER, DOCUMENT])
def test_what_is_no_plain_file_is_refused(folder: Path, name: str) -> None:
    moved = folder.parent / name
    shutil.move(folder / name, moved)
    (folder / name).symlink_to(moved)
    with pytest.raises(BundleError, match="link"):
        load_bundle(folder)
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(BundleError, match="no regular file"):
        load_bundle(folder)
    (folder / name).unlink()
    (folder / name).mkdir()
    with pytest.raises(BundleError, match="folder"):
        load_bundle(folder)


def test_a_folder_may_be_a_link(folder: Path) -> None:
    (folder.parent / "current").symlink_to(folder)
    assert load_bundle(folder.parent / "current").sha256 == load_bundle(folder).sha256


@pytest.mark.parametrize(
    "content",
    [
        "[" * 100_000,
        '{"a":' * 50_000,
        '{"format": ' + "9" * 5_000 + "}",
        " " * 1_000_001,
        '{"format": 1e999}',
    ],
)
def test_a_hostile_document_is_one_line(folder: Path, content: str) -> None:
    (folder / DOCUMENT).write_text(content)
    with pytest.raises(BundleError) as error:
        load_bundle(folder)
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


@pytest.mark.parametrize(
    "change",
    [
        {"name": "\ud800"},
        {"name": "a\nb"},
        {"name": "n" * 101},
        {"name": ""},
        {"languages": []},
        {"languages": ["en"] * 301},
        {"threshold": NAN},
        {"threshold": INF},
        {"max_length": True},
        {"max_length": 10**30},
    ],
)
def test_a_document_within_bounds(folder: Path, change: dict[str, Any]) -> None:
    edit(folder, lambda document: document.update(change))
    with pytest.raises(BundleError):
        load_bundle(folder)


def test_a_swap_that_fails_its_trial_is_refused_once(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watched = WatchedScorer(str(folder), 1, 1e-9)
    before = watched.at_work
    count = labels_of_default()
    put(folder, model([NAN] * count, count, told=count))
    assert watched.current() == (before, BundleNews.REFUSED)
    assert watched.current() == (before, BundleNews.NONE)
    assert caplog.text.count("is refused") == 1
    put(folder, model(GOOD[:count], count, told=count))
    assert watched.current()[1] == BundleNews.SWAPPED


def test_the_start_asks_for_the_same(folder: Path) -> None:
    count = labels_of_default()
    put(folder, model([0.0] * count, count, told=count))
    with pytest.raises(BundleError, match="same of every text"):
        WatchedScorer(str(folder), 1, 0)


def test_a_model_that_never_answers_is_not_waited_for() -> None:
    done = threading.Event()
    began = time.monotonic()
    with pytest.raises(BundleError, match="takes too long"):
        within(0.05, done.wait, "takes too long")
    assert time.monotonic() - began < 5
    done.set()
    assert within(5.0, lambda: 7, "") == 7
    with pytest.raises(ZeroDivisionError):
        within(5.0, lambda: 1 // 0, "")
