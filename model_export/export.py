"""`mltox export`: from a checkpoint to a bundle that the runtime loads."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tqdm import tqdm

from model_export import contrast
from model_export.data import DataError, read_training_data
from model_export.graph import shrink_embeddings, to_onnx
from model_export.quantise import Feed, calibrate, quantise
from model_export.sources import Source, SourceError, load_source
from pipelines.toxicity.batches import batches, padded
from pipelines.toxicity.bundle import DOCUMENT, FORMAT, MODEL, TOKENIZER, Bundle, load_bundle, sha256_of
from pipelines.toxicity.normalise import PREPROCESSING, normalise
from pipelines.toxicity.scorer import Scorer

FP32_LIMIT = 1e-4
INT8_MEAN_LIMIT = 0.01
INT8_MAX_LIMIT = 0.10
BATCH_LIMIT = 1e-4
EXAMPLE = "example: python -m model_export.export trained/ --out bundle/"


class ExportError(Exception):
    """No bundle was written; the message is one line for a person."""


class Parity(NamedTuple):
    """How far probabilities are apart, over all labels and texts."""

    mean: float
    max: float


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(
        prog="mltox export",
        description="Make a bundle of a trained checkpoint. Reads a folder written by `mltox train`,"
        " a hub name or folder of a sequence classifier (unitary/toxic-bert), or a Detoxify"
        " checkpoint file; writes model.onnx (int8), tokenizer.json and bundle.json. Nothing is"
        " written where the ONNX model does not score as the checkpoint does.",
        epilog=EXAMPLE,
    )
    arguments.add_argument("source", help="checkpoint: folder, file or hub name")
    arguments.add_argument("--out", type=Path, required=True, help="folder of the bundle")
    arguments.add_argument("--data", type=Path, help="texts (as for `mltox train`) for the ranges of"
                           " int8 and the parity check; default: our own contrast cases")  # fmt: skip
    arguments.add_argument("--name", help="name of the bundle; default: the name of the source")
    arguments.add_argument("--languages", default="en", help="comma-separated, default: en")
    arguments.add_argument("--licence", default="see the base model")
    arguments.add_argument("--threshold", type=float, default=0.5, help="toxic from this score on")
    arguments.add_argument("--max-length", type=int, help="word pieces looked at; default: those of"
                           " the training, else 128")  # fmt: skip
    arguments.add_argument("--fp32", action="store_true", help="do not quantise")
    arguments.add_argument("--texts", type=int, default=768, help="texts for ranges and parity each")
    return arguments


def main(argv: list[str] | None = None) -> int:
    options = parser().parse_args(argv)
    try:
        bundle = export(options)
    except (DataError, SourceError, ExportError) as error:
        print(f"mltox export: {error}", file=sys.stderr)
        return 2
    size = sum(file.stat().st_size for file in bundle.folder.iterdir()) / 1e6
    print(f"{bundle.folder}: {bundle.name}, {size:.1f} MB, {', '.join(bundle.labels)}")
    for name, parity in bundle.document["parity"].items():
        print(f"  {name}: mean {parity['mean']:.6f}, max {parity['max']:.6f}")
    return 0


def export(options: argparse.Namespace) -> Bundle:
    """The bundle at `options.out`; see `parser` for the options."""
    source = load_source(options.source)
    max_length = options.max_length or int(source.facts.get("max_length", 128))
    tokenizer = Tokenizer.from_str(source.tokenizer_json)
    tokenizer.enable_truncation(max_length)
    pad_id = next(
        (n for n in map(tokenizer.token_to_id, ("[PAD]", "<pad>")) if n is not None), 0
    )
    texts = sample_texts(options.data, 2 * options.texts)
    rows = [encoding.ids for encoding in tokenizer.encode_batch([normalise(t) for t in texts])]
    calibration, check = rows[::2], rows[1::2]

    graph = to_onnx(source.model, pad_id)
    expected = _torch_logits(source.model, check, pad_id)
    parities = {"onnx_fp32": _parity(expected, graph, check, pad_id)}
    _require(parities["onnx_fp32"].max <= FP32_LIMIT, "the fp32 ONNX model", parities["onnx_fp32"])
    if not options.fp32:
        ranges = calibrate(graph, [*_feeds(tqdm(calibration, unit="text", leave=False), pad_id)])
        graph = quantise(graph, ranges)
        shrink_embeddings(graph)
        parities["int8"] = int8 = _parity(expected, graph, check, pad_id)
        within = int8.mean <= INT8_MEAN_LIMIT and int8.max <= INT8_MAX_LIMIT
        _require(within, "the int8 model", int8)

    document = describe(source, options, max_length)
    with tempfile.TemporaryDirectory(dir=_parent(options.out)) as scratch:
        draft = write_bundle(Path(scratch), graph, source.tokenizer_json, document)
        parities["batch"] = spread = batch_spread(Scorer(draft, cache_size=0), texts[1::2])
        _require(spread.max <= BATCH_LIMIT, "the same text in another batch", spread)
    document["parity"] = {name: parity._asdict() for name, parity in parities.items()}
    return write_bundle(options.out, graph, source.tokenizer_json, document)


def describe(source: Source, options: argparse.Namespace, max_length: int) -> dict[str, Any]:
    """`bundle.json` but for the hashes of the files."""
    return {
        "format": FORMAT,
        "name": options.name or Path(options.source).stem,
        "labels": list(source.labels),
        "languages": options.languages.split(","),
        "max_length": max_length,
        "threshold": options.threshold,
        "preprocessing": PREPROCESSING,
        "precision": "fp32" if options.fp32 else "int8, static ranges",
        "base_model": source.base_model,
        "licence": options.licence,
        "training": source.facts,
    }


def write_bundle(
    folder: Path, graph: onnx.ModelProto, tokenizer_json: str, document: dict[str, Any]
) -> Bundle:
    """Write the three files and load them as the runtime will."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(graph, folder / MODEL)
    (folder / TOKENIZER).write_text(tokenizer_json, encoding="utf-8")
    document["files"] = {name: sha256_of(folder / name) for name in (MODEL, TOKENIZER)}
    (folder / DOCUMENT).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return load_bundle(folder)


def sample_texts(data: Path | None, count: int) -> list[str]:
    """Up to `count` texts, spread evenly over what there is; without data our contrast cases."""
    if data is None:
        return [example.text for _, example in contrast.compose(count, seed=2)]
    examples = read_training_data(data)
    step = max(1, len(examples) // count)
    return [example.text for example in examples[::step]][:count]


def batch_spread(scorer: Scorer, texts: Sequence[str]) -> Parity:
    """How far the stored score of a text moves when it is scored alone and not among others."""
    together = np.asarray([_known(scores) for scores in scorer.score(texts)])
    alone = np.asarray([_known(scorer.score([text])[0]) for text in texts])
    gaps = np.abs(together - alone)
    return Parity(float(gaps.mean()), float(gaps.max()))


def _known(scores: Sequence[float | None]) -> list[float]:
    return [-1.0 if score is None else score for score in scores]


def _require(holds: bool, what: str, parity: Parity) -> None:
    if not holds:
        raise ExportError(
            f"{what} does not score as the checkpoint does (mean {parity.mean:.5f}, greatest"
            f" {parity.max:.5f}); no bundle was written"
        )


def _parent(out: Path) -> Path:
    out.parent.mkdir(parents=True, exist_ok=True)
    return out.parent


def _feeds(rows: Sequence[Sequence[int]], pad_id: int) -> list[Feed]:
    rows = list(rows)
    feeds = []
    for indices, length in batches(rows):
        ids, mask = padded([rows[index] for index in indices], length, pad_id)
        feeds.append({"input_ids": ids, "attention_mask": mask})
    return feeds


def _torch_logits(
    model: torch.nn.Module, rows: Sequence[Sequence[int]], pad_id: int
) -> NDArray[np.float64]:
    """Logits of shape (texts, labels), in the order of `rows`."""
    return _in_order(
        rows,
        pad_id,
        lambda ids, mask: model(torch.from_numpy(ids), torch.from_numpy(mask)).numpy(),
    )


def _parity(
    expected: NDArray[np.float64], graph: onnx.ModelProto, rows: Sequence[Sequence[int]], pad_id: int
) -> Parity:
    import onnxruntime

    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    found = _in_order(
        rows,
        pad_id,
        lambda ids, mask: session.run(None, {"input_ids": ids, "attention_mask": mask})[0],
    )
    gaps = np.abs(1 / (1 + np.exp(-expected)) - 1 / (1 + np.exp(-found)))
    return Parity(float(gaps.mean()), float(gaps.max()))


def _in_order(rows: Sequence[Sequence[int]], pad_id: int, infer: Any) -> NDArray[np.float64]:
    parts: dict[int, NDArray[np.float64]] = {}
    with torch.inference_mode():
        for indices, length in batches(rows):
            logits = infer(*padded([rows[index] for index in indices], length, pad_id))
            parts.update(zip(indices, logits.astype(np.float64), strict=True))
    return np.stack([parts[index] for index in range(len(rows))])


if __name__ == "__main__":
    raise SystemExit(main())
