"""What can be exported: our own training, hub checkpoints, Detoxify's checkpoint files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForSequenceClassification, AutoTokenizer

from mltox.base.errors import UserError
from mltox.posts.records import LABELS
from model_export import classifier

ALIASES = {
    "toxic": "toxicity",
    "severe_toxic": "severe_toxicity",
    "identity_hate": "identity_attack",
    "hate": "toxicity",
    "offensive": "toxicity",
}
"""Names that other checkpoints give to the seven labels."""

_DETOXIFY_LABELS = {
    "original": ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate"),
    "unbiased": ("toxicity", "severe_toxicity", "obscene", "identity_attack", "insult", "threat",
                 "sexual_explicit"),
}  # fmt: skip


class CheckpointError(UserError):
    """A checkpoint cannot be exported; the message is one line for a person."""


class Checkpoint(NamedTuple):
    """A model whose `forward(input_ids, attention_mask)` gives one logit for each of `labels`."""

    model: nn.Module
    tokenizer_json: str
    labels: tuple[str, ...]
    base_model: str
    facts: dict[str, Any]
    """What the training left behind (`training.json`), if it was ours."""
    encoder: dict[str, Any] | None = None
    """The configuration of the encoder, if the training was ours."""


class SelectedLogits(nn.Module):
    """The columns of a sequence classifier that are labels of ours.

    A head of two exclusive classes (softmax) is the same as a sigmoid of the difference of its
    logits, which is what comes out for it.
    """

    def __init__(self, model: nn.Module, columns: Sequence[int], against: int | None) -> None:
        super().__init__()
        self.model = model
        self.columns = list(columns)
        self.against = against

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        logits: Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
        selected = logits[:, self.columns]
        return selected if self.against is None else selected - logits[:, [self.against]]


def load_source(name: str) -> Checkpoint:
    """A folder written by `mltox train`, a folder or hub name of a sequence classifier, or a
    Detoxify checkpoint file. Weights are read from safetensors, or with `weights_only=True`.
    """
    path = Path(name)
    if path.is_file():
        return _detoxify(path)
    if (path / "config.json").exists():
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
        if classifier.ARCHITECTURE in config.get("architectures", ()):
            return _trained(path)
    return _sequence_classifier(name)


def select_labels(
    names: Sequence[str], problem: str | None
) -> tuple[list[int], list[str], int | None]:
    """(columns, our labels for them, the column of the other class in a two-class softmax head)."""
    known = [ALIASES.get(name.lower(), name.lower()) for name in names]
    columns = [number for number, name in enumerate(known) if name in LABELS]
    if "toxicity" not in known:
        raise CheckpointError(f"the model has no output for toxicity; it has {', '.join(names)}")
    exclusive = len(names) == 2 and problem != "multi_label_classification"
    if exclusive and len(columns) == 1:
        return columns, [known[columns[0]]], 1 - columns[0]
    if len({known[column] for column in columns}) < len(columns):
        raise CheckpointError(f"two outputs of the model are the same label: {', '.join(names)}")
    return columns, [known[column] for column in columns], None


def _trained(path: Path) -> Checkpoint:
    model, labels = classifier.load_classifier(path)
    facts = path / "training.json"
    training = json.loads(facts.read_text()) if facts.exists() else {}
    base = training.get("base_model", "unknown")
    untrained = set(training.get("untrained_labels", ()))
    columns = [number for number, label in enumerate(labels) if label not in untrained]
    model.keep_labels(columns)
    labels = [labels[column] for column in columns]
    tokenizer_json = (path / "tokenizer.json").read_text(encoding="utf-8")
    encoder = {key: value for key, value in model.encoder.config.to_diff_dict().items()
               if key not in ("id2label", "label2id", "architectures")}  # fmt: skip
    return Checkpoint(model, tokenizer_json, tuple(labels), base, training, encoder)


def _sequence_classifier(name: str) -> Checkpoint:
    try:
        config = AutoConfig.from_pretrained(name)
        model = AutoModelForSequenceClassification.from_pretrained(
            name, attn_implementation="eager", weights_only=True
        )
        tokenizer = AutoTokenizer.from_pretrained(name, use_fast=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise CheckpointError(f"cannot load {name}: {str(error).splitlines()[0]}") from None
    names = [str(config.id2label[number]) for number in range(config.num_labels)]
    return _select(model, _fast_json(tokenizer), names, config.problem_type, name)


def _detoxify(path: Path) -> Checkpoint:
    """A `.ckpt` of Detoxify (Hanu 2020): its architecture by name, its class names, its weights."""
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
        arguments = checkpoint["config"]["arch"]["args"]
        classes = checkpoint["config"]["dataset"]["args"].get("classes")
        config = AutoConfig.from_pretrained(
            arguments["model_type"], num_labels=arguments["num_classes"]
        )
        model = AutoModelForSequenceClassification.from_config(config, attn_implementation="eager")
        model.load_state_dict(checkpoint["state_dict"], strict=False)
        tokenizer = AutoTokenizer.from_pretrained(arguments["model_type"], use_fast=True)
    except (OSError, KeyError, TypeError, RuntimeError, ValueError, UnpicklingError) as error:
        raise CheckpointError(
            f"{path} is no Detoxify checkpoint: {str(error).splitlines()[0]}"
        ) from None
    fallback = _DETOXIFY_LABELS["unbiased" if arguments["num_classes"] > 6 else "original"]
    names = [*(classes or fallback)]
    names += [f"unused_{number}" for number in range(len(names), arguments["num_classes"])]
    return _select(model, _fast_json(tokenizer), names, "multi_label_classification", path.name)


def _select(
    model: Any, tokenizer_json: str, names: Sequence[str], problem: str | None, base: str
) -> Checkpoint:
    columns, labels, against = select_labels(names, problem)
    selected = SelectedLogits(model, columns, against).eval()
    return Checkpoint(selected, tokenizer_json, tuple(labels), base, {})


def _fast_json(tokenizer: Any) -> str:
    if not tokenizer.is_fast:
        raise CheckpointError("the model has no fast tokenizer, which the runtime needs")
    plain = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    plain.no_padding()
    plain.no_truncation()
    return str(plain.to_str())
