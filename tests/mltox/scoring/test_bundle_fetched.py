"""A bundle on Cloud Storage: its large files come once, and never wrong ones."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from mltox.scoring import DEFAULT_BUNDLE, BundleError, load_bundle
from mltox.scoring.bundle import DOCUMENT, MODEL, TOKENIZER
from tests.gcs_server import Objects, serving

URI = "gs://bucket/models/toxic"
KEY = "bucket/models/toxic"


@pytest.fixture
def objects(monkeypatch: pytest.MonkeyPatch) -> Iterator[Objects]:
    with serving() as (address, stored):
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
        monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "some-project")
        for file in DEFAULT_BUNDLE.iterdir():
            stored.found[f"{KEY}/{file.name}"] = (1, file.read_bytes())
        yield stored


def replaced(objects: Objects, name: str) -> bytes:
    """The document of the default bundle under another name."""
    document = json.loads(objects.found[f"{KEY}/{DOCUMENT}"][1])
    content = json.dumps({**document, "name": name}).encode()
    objects.found[f"{KEY}/{DOCUMENT}"] = (2, content)
    return content


def test_what_a_run_looks_at_three_times_is_fetched_once(objects: Objects) -> None:
    replaced(objects, "fetched-once")
    folders = {load_bundle(URI).folder for _ in range(3)}
    assert len(folders) == 1
    assert [objects.asked.count(f"{KEY}/{name}") for name in (DOCUMENT, MODEL, TOKENIZER)] == [
        3,
        1,
        1,
    ]


def test_another_document_is_another_bundle(objects: Objects) -> None:
    for name in ("before", "after"):
        replaced(objects, name)
        assert load_bundle(URI).name == name
    assert objects.asked.count(f"{KEY}/{MODEL}") == 2


def test_a_model_that_comes_after_its_document_is_taken_when_it_is_there(objects: Objects) -> None:
    """What was refused is not remembered."""
    replaced(objects, "late-model")
    model = objects.found[f"{KEY}/{MODEL}"]
    objects.found[f"{KEY}/{MODEL}"] = (1, b"the model of before")
    for _ in range(2):
        with pytest.raises(BundleError, match=r"model\.onnx .* is not the file"):
            load_bundle(URI)
    objects.found[f"{KEY}/{MODEL}"] = model
    assert load_bundle(URI).name == "late-model"


def test_one_that_is_gone_or_closed_is_one_line_although_it_was_there(objects: Objects) -> None:
    replaced(objects, "gone")
    load_bundle(URI)
    objects.refuse = True
    with pytest.raises(BundleError, match=f"cannot fetch the bundle {URI}"):
        load_bundle(URI)
