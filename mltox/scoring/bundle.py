"""Model bundles: a folder with `model.onnx`, `tokenizer.json` and `bundle.json`.

`model.onnx` takes `input_ids` and `attention_mask` (int64, texts × tokens) and gives `logits`
(float32, texts × labels). `bundle.json` describes it and holds the SHA-256 of the other files.

A model may be cut into stages, `model.onnx`, `stage-2.onnx` and so on. Each gives
`logits` and, but for the last, what later ones take; a text whose toxicity is below what
`bundle.json` says of the stage is settled there.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from mltox.base.errors import UserError
from mltox.base.places import PlaceError, is_remote, read_bounded
from mltox.base.regular_files import read_regular
from mltox.google.objects import ObjectError, download
from mltox.posts.records import LABELS
from mltox.scoring.normalise import PREPROCESSING

DEFAULT_BUNDLE = Path(__file__).parent / "bundles" / "default"
SHIPPED = "mltox:default"
"""The bundle that ships with mltox, by a name that means it on whatever machine it is loaded."""
DOCUMENT, MODEL, TOKENIZER = "bundle.json", "model.onnx", "tokenizer.json"
BUNDLE_FORMAT = 1
_DECIDES = ("labels", "max_length", "preprocessing", "files", "stages", "window")
MOST_FILE_BYTES = {DOCUMENT: 1_000_000, TOKENIZER: 100_000_000, MODEL: 2_000_000_000}
_STAGE_FILE = re.compile(r"model\.onnx|stage-[1-9]\.onnx")
MOST_LANGUAGES, LONGEST_NAME = 300, 100


class BundleError(UserError):
    """A bundle cannot be used; the message is one line for a person."""


class Stage(NamedTuple):
    """A part of a model: its file, and the probability of toxicity below which its logits stand."""

    file: str
    settled_below: float


class Bundle(NamedTuple):
    """A bundle whose files were found to be what its document says."""

    folder: Path
    name: str
    labels: tuple[str, ...]
    languages: tuple[str, ...]
    max_length: int
    threshold: float
    stages: tuple[Stage, ...]
    window: int
    """Word pieces of a window of a text that is longer than `max_length`."""
    sha256: str
    """Of all that decides a score: the files, labels, preprocessing, lengths, stages."""
    document: Mapping[str, Any]


def load_bundle(path: str | Path) -> Bundle:
    """The bundle in a folder, or under `gs://bucket/folder` or another store's address (fetched to
    a temporary folder), or SHIPPED.

    Raises `BundleError` where a file is missing, its hash is another one, or the document asks for
    something that this version does not do.
    """
    path = where(path)
    folder = _fetch(str(path)) if is_remote(str(path)) else Path(path)
    document = _read_document(folder, str(path))
    stages = _stages(document)
    for name in (*(stage.file for stage in stages), TOKENIZER):
        _checked(folder / name, document["files"].get(name), str(path))
    return Bundle(
        folder=folder,
        name=document["name"],
        labels=tuple(document["labels"]),
        languages=tuple(document["languages"]),
        max_length=document["max_length"],
        threshold=document["threshold"],
        stages=stages,
        window=document.get("window", document["max_length"]),
        sha256=fingerprint(document),
        document=document,
    )


def where(path: str | Path) -> str | Path:
    """The path itself, or where this machine has the bundle that ships with mltox."""
    return DEFAULT_BUNDLE if path == SHIPPED else path


def content_of(bundle: Bundle, name: str) -> bytes:
    """One of the files of a bundle, which may have been replaced since the bundle was loaded.

    Raises BundleError where it is not the file that the bundle's document describes.
    """
    return _checked(bundle.folder / name, bundle.document["files"].get(name), bundle.name)


def most_bytes(name: str) -> int:
    """How large a file of a bundle may be. Raises KeyError for what is none."""
    return MOST_FILE_BYTES[MODEL if _STAGE_FILE.fullmatch(name) else name]


def peek_fingerprint(path: str | Path) -> str:
    """The fingerprint that the document of the bundle claims; its files are not looked at."""
    path = where(path)
    if not is_remote(str(path)):
        return fingerprint(_read_document(Path(path), str(path)))
    with tempfile.TemporaryDirectory(prefix="mltox-bundle-") as folder:
        _download(str(path), Path(folder), (DOCUMENT,))
        return fingerprint(_read_document(Path(folder), str(path)))


def fingerprint(document: Mapping[str, Any]) -> str:
    """SHA-256 (hex) of what decides a score. The threshold and the metrics do not."""
    decides = {key: document[key] for key in _DECIDES if key in document}
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()


def _stages(document: Mapping[str, Any]) -> tuple[Stage, ...]:
    given = document.get("stages", [{"file": MODEL, "settled_below": 0.0}])
    return tuple(Stage(stage["file"], stage["settled_below"]) for stage in given)


def sha256_of(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read_document(folder: Path, shown: str) -> dict[str, Any]:
    try:
        text = read_regular(folder / DOCUMENT, MOST_FILE_BYTES[DOCUMENT], follow=False)
        document = json.loads(text)
    except FileNotFoundError:
        raise BundleError(f"no model bundle at {shown}: it has no {DOCUMENT}") from None
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BundleError(f"cannot read {DOCUMENT} of the bundle {shown}: {reason}") from None
    _check_document(document, shown)
    return dict(document)


def _check_document(document: object, shown: str) -> None:
    fields: Mapping[str, type | tuple[type, ...]] = {
        "format": int,
        "name": str,
        "labels": list,
        "languages": list,
        "max_length": int,
        "threshold": (int, float),
        "preprocessing": str,
        "files": dict,
    }
    if not isinstance(document, dict):
        raise BundleError(f"{DOCUMENT} of the bundle {shown} is not an object")
    for field, kind in fields.items():
        if not isinstance(document.get(field), kind):
            raise BundleError(f"{DOCUMENT} of the bundle {shown} has no valid `{field}`")
    name = document["name"]
    if not (name.isprintable() and 0 < len(name) <= LONGEST_NAME):
        raise BundleError(f"the name of the bundle {shown} is no printable name")
    if document["format"] != BUNDLE_FORMAT:
        raise BundleError(
            f"the bundle {shown} has format {document['format']}, known is {BUNDLE_FORMAT}"
        )
    if document["preprocessing"] != PREPROCESSING:
        raise BundleError(
            f"the bundle {shown} wants preprocessing {document['preprocessing']!r};"
            f" this version does {PREPROCESSING!r}"
        )
    labels = document["labels"]
    if not all(isinstance(item, str) for item in labels + document["languages"]):
        raise BundleError(f"labels and languages of the bundle {shown} must be names")
    if not 0 < len(document["languages"]) <= MOST_LANGUAGES:
        raise BundleError(f"the bundle {shown} names no language, or too many")
    if unknown := set(labels) - set(LABELS):
        raise BundleError(f"the bundle {shown} has unknown labels: {', '.join(sorted(unknown))}")
    if "toxicity" not in labels or len(set(labels)) < len(labels):
        raise BundleError(f"labels of the bundle {shown} must be distinct and include toxicity")
    if not _are_stages(document.get("stages", [{"file": MODEL, "settled_below": 0}])):
        raise BundleError(f"{DOCUMENT} of the bundle {shown} has no valid `stages`")
    window = document.get("window", document["max_length"])
    if not isinstance(window, int) or not 3 <= window <= document["max_length"]:
        raise BundleError(f"`window` of the bundle {shown} is out of range")
    if not 0 < document["threshold"] < 1 or not 3 <= document["max_length"] <= 8192:
        raise BundleError(f"threshold or max_length of the bundle {shown} is out of range")


def _are_stages(given: object) -> bool:
    """Whether `stages` names files that may be stages, and what is settled by each."""
    if not isinstance(given, list) or not given:
        return False
    return all(
        isinstance(stage, dict)
        and isinstance(stage.get("file"), str)
        and _STAGE_FILE.fullmatch(stage["file"]) is not None
        and isinstance(stage.get("settled_below"), int | float)
        and 0 <= stage["settled_below"] <= 1
        for stage in given
    )


def _checked(file: Path, expected: object, shown: str) -> bytes:
    """The content of a file, if it has this hash. What is hashed is what is used: between a look at
    a file and its use somebody may put another in its place."""
    try:
        content = read_regular(file, most_bytes(file.name), follow=False)
    except OSError as error:
        reason = error.strerror or error
        raise BundleError(f"cannot read {file.name} of the bundle {shown}: {reason}") from None
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise BundleError(
            f"{file.name} of the bundle {shown} is not the file that {DOCUMENT} describes"
            f" (sha256 {found[:12]}…, expected {str(expected)[:12]}…)"
        )
    return content


def _fetch(uri: str) -> Path:
    """A local copy of the files of a bundle of a store, removed when Python exits.

    A run looks at a bundle before it begins, for its threshold, and to score: the large files come
    once for as long as the document stays the same.
    """
    with tempfile.TemporaryDirectory(prefix="mltox-bundle-") as folder:
        _download(uri, Path(folder), (DOCUMENT,))
        _read_document(Path(folder), uri)
        return _copy(uri, (Path(folder) / DOCUMENT).read_bytes())


@lru_cache(maxsize=2)
def _copy(uri: str, document: bytes) -> Path:
    """The document and the files that it describes. Raises BundleError, and remembers nothing,
    where they are others: they may not have come yet."""
    target = tempfile.TemporaryDirectory(prefix="mltox-bundle-")
    atexit.register(target.cleanup)
    folder = Path(target.name)
    (folder / DOCUMENT).write_bytes(document)
    read = _read_document(folder, uri)
    names = (*(stage.file for stage in _stages(read)), TOKENIZER)
    _download(uri, folder, names)
    for name in names:
        _checked(folder / name, read["files"].get(name), uri)
    return folder


def _download(uri: str, folder: Path, names: Sequence[str]) -> None:
    try:
        # One byte beyond the bound is enough to be refused.
        if uri.startswith("gs://"):
            download(uri, folder, {name: most_bytes(name) for name in names})
            return
        for name in names:
            content = read_bounded(f"{uri.rstrip('/')}/{name}", most_bytes(name))
            (folder / name).write_bytes(content)
    except (ObjectError, PlaceError) as error:
        raise BundleError(f"cannot fetch the bundle {uri}: {error}") from None
