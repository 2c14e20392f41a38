"""The training loop: seeded, resumable, with a learning rate that falls to zero."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits
from tqdm import tqdm

from mltox.scoring.normalise import normalise
from model_export.classifier import MeanPooledClassifier
from model_export.examples import LabelledText

CHECKPOINT = "checkpoint.pt"
CHECKPOINT_SECONDS = 300
TOXICITY_WEIGHT = 2.0
"""Every other label weighs 1. Toxicity is what the tables are made of, and known of every text."""
PEAK_RATE = 1.2e-4
"""At its peak, where a model is trained rather than continued."""
HEAD_FASTER = 10
EXIT_WEIGHT = 0.25
"""Of the loss of each exit beside that of the whole network."""
WARM_UP = 0.05


class Encoded(NamedTuple):
    ids: list[list[int]]
    labels: NDArray[np.float32]
    """Texts × labels, -1 where unknown."""


@dataclass
class FitSchedule:
    """How long and how fast. `minutes` ends a run early, its learning rate at zero."""

    passes: int
    batch: int
    learning_rate: float
    seed: int
    minutes: float = float("inf")


@dataclass
class FitProgress:
    step: int = 0
    steps: int = 0
    seconds: float = 0.0
    losses: list[float] = field(default_factory=list)


def encode_examples(examples: Sequence[LabelledText], tokenizer: Tokenizer) -> Encoded:
    texts = [normalise(example.text) for example in examples]
    return Encoded(
        [encoding.ids for encoding in tokenizer.encode_batch_fast(texts)],
        np.asarray([example.labels for example in examples], dtype=np.float32),
    )


def fit(
    model: MeanPooledClassifier,
    pass_of: Callable[[int], Encoded],
    sizes: Sequence[int],
    schedule: FitSchedule,
    folder: Path,
    after_pass: Callable[[int], None],
) -> FitProgress:
    """Trains encoder and head of `model` in place on `pass_of(0)`, …, of `sizes` texts each.

    A checkpoint in `folder` is gone on from. `after_pass` is called with the number of each pass
    that ended.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model.to(device).train()
    if model.wide is not None:
        model.wide.requires_grad_(False)
    torch.manual_seed(schedule.seed)
    optimiser = torch.optim.AdamW(
        [
            {"params": model.encoder.parameters(), "lr": schedule.learning_rate},
            {
                "params": [weight for head in model.heads for weight in head.parameters()],
                "lr": HEAD_FASTER * schedule.learning_rate,
            },
        ],
        weight_decay=0.01,
        fused=True,
    )
    peaks = [group["lr"] for group in optimiser.param_groups]
    progress = FitProgress(steps=sum(-(-size // schedule.batch) for size in sizes))
    checkpoint = folder / CHECKPOINT
    _resume(checkpoint, model, optimiser, progress)
    print(f"{progress.steps:,} steps of {schedule.batch} on {device}, from {progress.step:,}")
    started, saved = time.monotonic() - progress.seconds, time.monotonic()
    bar = tqdm(total=progress.steps, initial=progress.step, unit="step", smoothing=0.02,
               mininterval=10)  # fmt: skip
    for rows, labels in _batches(pass_of, sizes, schedule, progress.step, after_pass):
        progress.seconds = time.monotonic() - started
        done = max(progress.step / progress.steps, progress.seconds / (60 * schedule.minutes))
        if done >= 1:
            break
        rate = min(1.0, (progress.step + 1) / (WARM_UP * progress.steps)) * (1 - done)
        for group, peak in zip(optimiser.param_groups, peaks, strict=True):
            group["lr"] = peak * rate
        ids, mask = pad(rows)
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=has_bf16(device)):
            *early, logits = model.all_logits(ids.to(device), mask.to(device))
        truth = torch.from_numpy(labels).to(device)
        loss = masked_loss(logits.float(), truth)
        (loss + EXIT_WEIGHT * sum(masked_loss(exit.float(), truth) for exit in early)).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        progress.losses.append(loss.item())
        progress.step += 1
        bar.update()
        if progress.step % 50 == 0:
            bar.set_postfix(loss=f"{np.mean(progress.losses[-200:]):.4f}", rate=f"{rate:.3f}")
        if time.monotonic() - saved > CHECKPOINT_SECONDS:
            _save(checkpoint, model, optimiser, progress)
            saved = time.monotonic()
    bar.close()
    _save(checkpoint, model, optimiser, progress)
    model.to("cpu").eval()
    return progress


def masked_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Binary cross-entropy over the known labels; both of shape (batch, labels), -1 unknown."""
    weights = torch.ones(logits.shape[1], device=logits.device)
    weights[0] = TOXICITY_WEIGHT
    known = (labels >= 0).to(logits.dtype) * weights
    losses = binary_cross_entropy_with_logits(logits, labels.clamp(min=0), reduction="none")
    return (losses * known).sum() / known.sum().clamp(min=1)


def batches_by_length(
    lengths: Sequence[int], size: int, generator: random.Random
) -> list[list[int]]:
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


def pad(rows: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    """Ids and mask of shape (texts, longest), int64; 0 pads."""
    ids = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.int64)
    mask = torch.zeros_like(ids)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = torch.tensor(row)
        mask[number, : len(row)] = 1
    return ids, mask


def has_bf16(device: torch.device) -> bool:
    """Whether bfloat16 is faster here (on a Zen 4 CPU 1.6 times, without AVX512-BF16 slower)."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    return bool(torch.cpu._is_avx512_bf16_supported())


def logits_of(model: MeanPooledClassifier, rows: Sequence[Sequence[int]]) -> NDArray[np.float64]:
    """Texts × labels, in the order of `rows`. The model is left as it was found."""
    return all_logits_of(model, rows)[-1]


@torch.no_grad()
def all_logits_of(
    model: MeanPooledClassifier, rows: Sequence[Sequence[int]]
) -> NDArray[np.float64]:
    """Exits and the whole network × texts × labels, in the order of `rows`."""
    device, was_training = next(model.parameters()).device, model.training
    model.eval()
    found = np.empty((len(model.heads), len(rows), model.head.out_features))
    for chosen, ids, mask in _by_length(rows):
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=has_bf16(device)):
            logits = model.all_logits(ids.to(device), mask.to(device))
        found[:, chosen] = torch.stack(logits).double().cpu().numpy()
    model.train(was_training)
    return found


@torch.no_grad()
def wide_logits_of(
    model: MeanPooledClassifier, rows: Sequence[Sequence[int]]
) -> NDArray[np.float64]:
    """What the wide branch adds (texts × labels), 0 where there is none."""
    found = np.zeros((len(rows), model.head.out_features))
    if model.wide is not None:
        for chosen, ids, mask in _by_length(rows):
            found[chosen] = model.wide(ids, mask).double().numpy()
    return found


def _by_length(rows: Sequence[Sequence[int]]) -> Iterator[tuple[list[int], Tensor, Tensor]]:
    """(indices, ids, mask) of 64 rows of like length each."""
    order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
    for start in range(0, len(order), 64):
        chosen = order[start : start + 64]
        yield chosen, *pad([rows[index] for index in chosen])


def _batches(
    pass_of: Callable[[int], Encoded],
    sizes: Sequence[int],
    schedule: FitSchedule,
    start: int,
    after_pass: Callable[[int], None],
) -> Iterator[tuple[list[list[int]], NDArray[np.float32]]]:
    position = 0
    for number, size in enumerate(sizes):
        in_pass = -(-size // schedule.batch)
        if position + in_pass <= start:
            position += in_pass
            continue
        encoded = pass_of(number)
        generator = random.Random(f"{schedule.seed}-{number}")
        lengths = [len(ids) for ids in encoded.ids]
        for batch in batches_by_length(lengths, schedule.batch, generator):
            if position >= start:
                yield [encoded.ids[index] for index in batch], encoded.labels[batch]
            position += 1
        after_pass(number)


def _save(path: Path, model: Any, optimiser: Any, progress: FitProgress) -> None:
    partial = path.with_suffix(".partial")
    state = {
        "model": model.state_dict(),
        "optimiser": optimiser.state_dict(),
        "step": progress.step,
        "seconds": progress.seconds,
        "random": torch.get_rng_state(),
    }
    torch.save(state, partial)
    partial.replace(path)


def _resume(path: Path, model: Any, optimiser: Any, progress: FitProgress) -> None:
    if not path.exists():
        return
    state = torch.load(path, weights_only=True)
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    torch.set_rng_state(state["random"])
    progress.step, progress.seconds = int(state["step"]), float(state["seconds"])
