"""Teaches a model to score in int8 as it does in fp32.

After training, a few hundred steps are made with every weight product rounded as `quantise` rounds
it, gradients passing the rounding unchanged (straight-through; Bengio et al. 2013), toward what the
model said before (Jacob et al. 2018, with the model as its own teacher). Nothing new is learned:
the errors of the rounded products are made to cancel where they reach the scores.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, linear
from tqdm import tqdm

from model_export.classifier import MeanPooledClassifier
from model_export.fit import batches_by_length, pad
from model_export.quantise import LEAST_VALUES, RANGE_BINS, WEIGHT_LEVELS, Range, best_range

STEPS = 300
BATCH_TEXTS = 32
ROUNDING_RATE = 2e-5
CALIBRATION_BATCHES = 16


def teach_rounding(
    model: MeanPooledClassifier, rows: Sequence[Sequence[int]], steps: int, seed: int
) -> None:
    """Changes the encoder of `model` in place; `rows` are the ids of texts like those to come."""
    teacher = deepcopy(model).eval()
    model.eval()
    generator = random.Random(seed)
    batches = batches_by_length([len(ids) for ids in rows], BATCH_TEXTS, generator)
    ranges = ranges_of(model, [[rows[index] for index in b] for b in batches[:CALIBRATION_BATCHES]])
    chosen = batches[CALIBRATION_BATCHES : CALIBRATION_BATCHES + steps]
    optimiser = torch.optim.AdamW(model.encoder.parameters(), lr=ROUNDING_RATE, weight_decay=0.0)
    for step, batch in enumerate(tqdm(chosen, desc="rounding", unit="step", mininterval=10)):
        for group in optimiser.param_groups:
            group["lr"] = ROUNDING_RATE * (1 - step / len(chosen))
        ids, mask = pad([rows[index] for index in batch])
        with torch.no_grad():
            wanted = torch.sigmoid(torch.stack(teacher.all_logits(ids, mask)))
        with rounded(model, ranges):
            said = torch.stack(model.all_logits(ids, mask))
            binary_cross_entropy_with_logits(said, wanted).backward()
        torch.nn.utils.clip_grad_norm_(model.encoder.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)


@torch.no_grad()
def dither(model: MeanPooledClassifier, seed: int) -> None:
    """Spreads weights that were rounded evenly over their steps, in place (dither; Roberts 1962).

    A weight in the middle of its step is rounded back to it whatever little it learns, and while it
    is being taught to be rounded nothing tells it how far it has drifted.
    """
    generator = torch.Generator().manual_seed(seed)
    for layer in products(model).values():
        step = layer.weight.abs().amax(dim=1, keepdim=True) / WEIGHT_LEVELS
        layer.weight += step * (torch.rand(layer.weight.shape, generator=generator) - 0.5)


def products(model: MeanPooledClassifier) -> dict[str, nn.Linear]:
    """The layers that become int8, by name."""
    return {
        name: layer
        for name, layer in model.encoder.named_modules()
        if isinstance(layer, nn.Linear) and layer.weight.numel() >= LEAST_VALUES
    }


@torch.no_grad()
def ranges_of(
    model: MeanPooledClassifier, batches: Sequence[Sequence[Sequence[int]]]
) -> dict[str, Range]:
    """The range of the input of each product, as the export takes it."""
    seen: dict[str, list[NDArray[np.float32]]] = {name: [] for name in products(model)}
    present = torch.ones(0)

    def look(name: str, _: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen[name].append(inputs[0][present].flatten().numpy())

    hooks = [
        layer.register_forward_pre_hook(partial(look, name))
        for name, layer in products(model).items()
    ]
    for batch in batches:
        ids, mask = pad(batch)
        present = mask.bool()
        model(ids, mask)
    for hook in hooks:
        hook.remove()
    found = {}
    for name, parts in seen.items():
        values = np.concatenate(parts)
        low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
        counts = np.histogram(values, RANGE_BINS, (low, max(high, low + 1e-6)))[0]
        found[name] = best_range(counts.astype(np.float64), low, high)
    return found


@contextmanager
def rounded(model: MeanPooledClassifier, ranges: Mapping[str, Range]) -> Iterator[None]:
    """Within, the products of `model` compute with rounded inputs and weights."""
    layers = products(model)
    for name, layer in layers.items():
        layer.forward = partial(_product, layer, ranges[name])
    try:
        yield
    finally:
        for layer in layers.values():
            del layer.forward


def _product(layer: nn.Linear, range_: Range, inputs: Tensor) -> Tensor:
    scale = max((range_.high - range_.low) / 255, 1e-8)
    zero = round(-range_.low / scale)
    inside = inputs.clamp(-zero * scale, (255 - zero) * scale)
    levels = layer.weight.detach().abs().amax(dim=1, keepdim=True).clamp(min=1e-12) / WEIGHT_LEVELS
    return linear(_on_grid(inside, scale), _on_grid(layer.weight, levels), layer.bias)


def _on_grid(values: Tensor, step: Tensor | float) -> Tensor:
    """The values rounded to multiples of `step`; the gradient is that of the values."""
    return values + (torch.round(values.detach() / step) * step - values.detach())
