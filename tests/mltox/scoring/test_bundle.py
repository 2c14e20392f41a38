import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mltox.posts.records import LABELS
from mltox.scoring import DEFAULT_BUNDLE, BundleError, Scorer, load_bundle
from mltox.scoring.bundle import DOCUMENT, MODEL, TOKENIZER, fingerprint, sha256_of

SHIPPED_LIMIT_BYTES = 25_000_000


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEFAULT_BUNDLE, tmp_path / "bundle"))


def edit(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    file = folder / DOCUMENT
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))


def test_the_shipped_bundle() -> None:
    bundle = load_bundle(DEFAULT_BUNDLE)
    assert set(bundle.labels) <= set(LABELS)
    assert bundle.languages == ("en",)
    assert sum(file.stat().st_size for file in DEFAULT_BUNDLE.iterdir()) <= SHIPPED_LIMIT_BYTES
    assert bundle.document["parity"]["int8_mean"] <= 0.01
    assert bundle.document["parity"]["int8_largest"] <= 0.1
    assert "jigsaw" in bundle.document["training"]["sources"]


@pytest.mark.parametrize("name", [MODEL, TOKENIZER])
def test_a_changed_file_is_refused(copy: Path, name: str) -> None:
    with (copy / name).open("ab") as stream:
        stream.write(b" ")
    with pytest.raises(BundleError, match=f"^{name} of the bundle .* is not the file") as error:
        load_bundle(copy)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", [DOCUMENT, MODEL, TOKENIZER])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(BundleError, match=name):
        load_bundle(copy)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda d: d.update(format=2), "format 2"),
        (lambda d: d.update(preprocessing="other"), "preprocessing 'other'"),
        (lambda d: d.update(labels=["toxicity", "rudeness"]), "unknown labels: rudeness"),
        (lambda d: d.update(labels=["insult"]), "include toxicity"),
        (lambda d: d.update(labels=["toxicity", "toxicity"]), "distinct"),
        (lambda d: d.update(labels=[1]), "must be names"),
        (lambda d: d.update(threshold=1.5), "out of range"),
        (lambda d: d.update(max_length=1), "out of range"),
        (lambda d: d.pop("languages"), "no valid `languages`"),
        (lambda d: d["files"].pop(MODEL), "not the file"),
    ],
)
def test_a_document_that_asks_for_the_unknown_is_refused(
    copy: Path, change: Callable[[dict[str, Any]], None], complaint: str
) -> None:
    edit(copy, change)
    with pytest.raises(BundleError, match=complaint):
        load_bundle(copy)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "\x80"])
def test_a_document_that_is_none_is_refused(copy: Path, content: str) -> None:
    (copy / DOCUMENT).write_bytes(content.encode("latin-1"))
    with pytest.raises(BundleError):
        load_bundle(copy)


@pytest.mark.parametrize("name", [MODEL, TOKENIZER])
def test_a_file_that_does_not_load_is_one_line(copy: Path, name: str) -> None:
    (copy / name).write_bytes(b"rubbish")
    edit(copy, lambda document: document["files"].update({name: sha256_of(copy / name)}))
    with pytest.raises(BundleError, match=name) as error:
        Scorer(copy)
    assert "\n" not in str(error.value)


def test_a_wrong_number_of_labels_is_refused(copy: Path) -> None:
    edit(copy, lambda document: document.update(labels=["toxicity", "insult"]))
    with pytest.raises(BundleError, match=r"\d outputs for 2 labels"):
        Scorer(copy)


def test_the_fingerprint_covers_what_decides_a_score() -> None:
    document = load_bundle(DEFAULT_BUNDLE).document
    assert fingerprint(document) == fingerprint({**document, "threshold": 0.9, "metrics": {}})
    assert fingerprint(document) != fingerprint({**document, "max_length": 12})
    assert fingerprint(document) != fingerprint({**document, "files": {MODEL: "0"}})


def test_no_folder() -> None:
    with pytest.raises(BundleError, match="no model bundle at nowhere"):
        load_bundle("nowhere")
