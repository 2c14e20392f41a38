"""`mltox export`: a checkpoint into a bundle that the runtime loads without torch."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from mltox.base.command_line import Parser
from mltox.scoring.batches import batches, padded
from mltox.scoring.bundle import BUNDLE_FORMAT, DOCUMENT, MODEL, TOKENIZER, sha256_of
from mltox.scoring.normalise import PREPROCESSING, normalise
from model_export import contrast
from model_export.classifier import MeanPooledClassifier
from model_export.data import (
    VALIDATION_SHARE,
    DataError,
    read_training_data,
    split_validation,
)
from model_export.graph import shrink_embeddings, to_onnx
from model_export.parity import (
    MAX_INT8,
    MEAN_INT8,
    Disparity,
    ParityError,
    Scoring,
    check_batches,
    check_fp32,
    onnx_scoring,
    passes_int8,
    score_rows,
    sigmoid,
    tokenised,
)
from model_export.quantise import Feed, Input, input_ranges, quantise, weight_products
from model_export.restore import name_weights
from model_export.sources import Checkpoint, CheckpointError, load_source
from model_export.stages import Staged, cut_stages, output_names, unprefixed

CALIBRATION_TEXTS = 512
PARITY_TEXTS = 1_000
ALONE_TEXTS = 100


class Remedies(NamedTuple):
    """Weights whose products compute in fp32, and whose products do so with their outliers only."""

    keep: tuple[str, ...]
    split: tuple[str, ...]


def parser() -> argparse.ArgumentParser:
    arguments = Parser(
        prog="mltox export",
        description="Makes a bundle of a trained model.\n\n"
        "reads   a folder written by `mltox train`, a folder or hub name of a sequence\n"
        "        classifier, or a Detoxify checkpoint file\n"
        "writes  model.onnx (int8), tokenizer.json and bundle.json; nothing where the int8 model\n"
        "        does not score as the source does",
        epilog="example:\n  mltox export unitary/toxic-bert --out bundles/toxic-bert",
    )
    arguments.add_argument("source", help="folder, hub name or checkpoint file")
    arguments.add_argument("--out", type=Path, required=True, help="folder of the bundle")
    arguments.add_argument("--name", help="name of the model; default: the source's last part")
    arguments.add_argument(
        "--data",
        type=Path,
        help="labelled texts as for `mltox train`, from which activation ranges are taken;"
        " default: composed sentences",
    )
    arguments.add_argument("--max-length", type=int, help="word pieces of a text that are read")
    arguments.add_argument("--languages", default="en", help="comma-separated (%(default)s)")
    arguments.add_argument("--threshold", type=float, default=0.5, help="toxic from here")
    arguments.add_argument("--licence", default="unknown", help="of the weights")
    return arguments


def main(argv: list[str] | None = None) -> int:
    options = parser().parse_args(argv)
    try:
        document = export(options)
    except (DataError, ParityError, CheckpointError) as error:
        print(f"mltox export: {error}", file=sys.stderr)
        return 2
    size = sum(file.stat().st_size for file in options.out.iterdir())
    print(f"{document['name']}: {size / 1e6:.1f} MB in {options.out}")
    print(json.dumps(document["parity"], indent=1))
    return 0


def export(options: argparse.Namespace) -> dict[str, Any]:
    """Writes the bundle and returns its document. Raises ParityError, SourceError, DataError."""
    source = load_source(options.source)
    max_length = options.max_length or int(source.facts.get("max_length", 128))
    calibration, held_out = texts_of(options.data)
    rows, pad_id = tokenised(source.tokenizer_json, max_length, held_out)
    fp32 = fp32_graph(source, pad_id)
    name_weights(fp32, source.model.state_dict())
    expected = score_rows(torch_scoring(source), rows, pad_id)
    fp32_difference = check_fp32(expected, score_rows(onnx_scoring(fp32), rows, pad_id))
    shrink_embeddings(fp32)
    inputs = input_ranges(
        fp32,
        list(model_inputs(tokenised(source.tokenizer_json, max_length, calibration)[0], pad_id)),
    )
    model, remedies, int8_difference = quantised(fp32, inputs, rows, pad_id, expected)
    scoring = onnx_scoring(model)
    some = rows[:: max(1, len(rows) // ALONE_TEXTS)]
    together = score_rows(scoring, some, pad_id)
    alone_difference = check_batches(scoring, some, pad_id, together)
    document = {
        "format": BUNDLE_FORMAT,
        "name": options.name or Path(options.source).name,
        "labels": list(source.labels),
        "languages": options.languages.split(","),
        "max_length": max_length,
        "threshold": options.threshold,
        "preprocessing": PREPROCESSING,
        "base_model": source.base_model,
        "licence": options.licence,
        "training": source.facts,
        "encoder": source.encoder,
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "parity": {
            "texts": len(rows),
            "fp32_largest": fp32_difference.largest,
            "int8_mean": int8_difference.mean,
            "int8_largest": int8_difference.largest,
            "batch_largest": alone_difference.largest,
            "products_with_outliers_in_fp32": len(remedies.split),
            "products_in_fp32": len(remedies.keep),
        },
    }
    exits = exits_of(source)
    models = cut_stages(model, exits) if exits else [model]
    if exits:
        below = [*source.facts.get("settled_below", [0.0] * len(exits)), 0.0]
        document["stages"] = [
            {"file": MODEL if number == 1 else f"stage-{number}.onnx", "settled_below": limit}
            for number, limit in enumerate(below, 1)
        ]
    if "window" in source.facts:
        document["window"] = min(max_length, source.facts["window"])
    write_bundle(options.out, models, source.tokenizer_json, document)
    return document


def exits_of(source: Checkpoint) -> tuple[int, ...]:
    """The layers behind which the model may settle a text."""
    return source.model.exits if isinstance(source.model, MeanPooledClassifier) else ()


def fp32_graph(source: Checkpoint, pad_id: int) -> onnx.ModelProto:
    """The whole model as one graph, which also gives the logits of each exit."""
    exits = exits_of(source)
    if not isinstance(source.model, MeanPooledClassifier) or not exits:
        return to_onnx(source.model, pad_id)
    names = output_names(exits, source.model.wide is not None)
    graph = to_onnx(Staged(source.model), pad_id, names)
    unprefixed(graph)
    return graph


def texts_of(data: Path | None) -> tuple[list[str], list[str]]:
    """Normalised texts to calibrate on, and others to measure on.

    Composed ones are always among the first, for the data of one source may be much alike; they
    fill up the others where the data are few.
    """
    composed = [normalise(case.text) for _, case in contrast.compose(3_000, seed=7)]
    calibration = spread(composed[::2], CALIBRATION_TEXTS // 2)
    measured: list[str] = []
    if data is not None:
        training, validation = split_validation(read_training_data(data), VALIDATION_SHARE)
        calibration += spread([normalise(e.text) for e in training], CALIBRATION_TEXTS)
        measured = spread([normalise(e.text) for e in validation or training], PARITY_TEXTS)
    return calibration, measured + spread(composed[1::2], PARITY_TEXTS - len(measured))


def spread(texts: Sequence[str], count: int) -> list[str]:
    """`count` of the texts at even distances."""
    if count <= 0:
        return []
    return list(texts[:: max(1, len(texts) // count)])[:count]


def model_inputs(rows: Sequence[Sequence[int]], pad_id: int) -> Iterator[Feed]:
    for indices, length in batches(rows):
        ids, mask = padded([rows[index] for index in indices], length, pad_id)
        yield {"input_ids": ids, "attention_mask": mask}


def torch_scoring(source: Checkpoint) -> Scoring:
    @torch.no_grad()
    def score(ids: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float64]:
        inputs = torch.from_numpy(ids), torch.from_numpy(mask)
        if isinstance(source.model, MeanPooledClassifier):
            logits = torch.cat(source.model.all_logits(*inputs), dim=1)
        else:
            logits = source.model(*inputs)
        return sigmoid(logits.double().numpy())

    return score


def quantised(
    fp32: onnx.ModelProto,
    inputs: dict[str, Input],
    rows: Sequence[Sequence[int]],
    pad_id: int,
    expected: NDArray[np.float64],
) -> tuple[onnx.ModelProto, Remedies, Disparity]:
    """(int8 model, what was spared in it, difference to the source).

    All products with weights become int8. If that moves scores too far, the products that do most
    of it multiply their outliers in fp32, one product after the other; if that is not enough, they
    go back to fp32 altogether. It ends where the gate is passed. Raises ParityError where even half
    of them in fp32 are not enough.
    """

    def difference(model: onnx.ModelProto) -> Disparity:
        return Disparity.between(expected, score_rows(onnx_scoring(model), rows, pad_id))

    model = quantise(fp32, inputs)
    found, remedies = difference(model), Remedies((), ())
    if passes_int8(found):
        return model, remedies, found
    order = most_sensitive_first(fp32, inputs, rows, pad_id, expected)
    worst = order[: len(order) // 2]
    for remedies in remedies_for(worst):
        model = quantise(fp32, inputs, *remedies)
        found = difference(model)
        if passes_int8(found):
            return model, remedies, found
    raise ParityError(
        f"int8 differs from the source by {found.mean:.3g} on average (at most {MEAN_INT8}) and"
        f" {found.largest:.3g} at most (at most {MAX_INT8}) with {len(worst)} products in fp32"
    )


def remedies_for(worst: Sequence[str]) -> Iterator[Remedies]:
    """From the one that costs least to the one that costs most."""
    for count in range(1, len(worst) + 1):
        yield Remedies((), tuple(worst[:count]))
    for count in range(1, len(worst) + 1):
        yield Remedies(tuple(worst[:count]), tuple(worst[count:]))


def most_sensitive_first(
    fp32: onnx.ModelProto,
    inputs: dict[str, Input],
    rows: Sequence[Sequence[int]],
    pad_id: int,
    expected: NDArray[np.float64],
) -> list[str]:
    """The weights, by how far scores move if only that one is quantised."""
    weights = [node.input[1] for node in weight_products(fp32)]
    some = slice(None, None, max(1, len(rows) // 250))
    moved: dict[str, float] = {}
    for weight in tqdm(weights, desc="sensitivity", unit="product", disable=None):
        alone = quantise(fp32, inputs, [other for other in weights if other != weight])
        scores = score_rows(onnx_scoring(alone), rows[some], pad_id)
        moved[weight] = float(np.square(scores - expected[some]).mean())
    return sorted(moved, key=lambda weight: -moved[weight])


def write_bundle(
    folder: Path,
    models: Sequence[onnx.ModelProto],
    tokenizer_json: str,
    document: dict[str, Any],
) -> None:
    """All files; the document last, so that a bundle without it was never finished."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in (folder / DOCUMENT, *folder.glob("*.onnx")):
        old.unlink(missing_ok=True)
    names = [stage["file"] for stage in document.get("stages", [{"file": MODEL}])]
    for name, model in zip(names, models, strict=True):
        (folder / name).write_bytes(model.SerializeToString())
    (folder / TOKENIZER).write_text(tokenizer_json, encoding="utf-8")
    document["files"] = {name: sha256_of(folder / name) for name in (*names, TOKENIZER)}
    (folder / DOCUMENT).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main())
