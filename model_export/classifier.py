"""The model: a BERT encoder, the mean of its last states and a linear layer; and a wide branch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel

from model_export.wide import WideBranch

ARCHITECTURE = "MeanPooledClassifier"
WIDE = "wide_buckets"
"""Entry of the configuration: rows of the wide branch's table, 0 where there is none."""


class MeanPooledClassifier(nn.Module):
    """Logits of shape (batch, labels) from ids and mask of shape (batch, tokens).

    The logits of `wide`, where there is one, are added to the network's.
    """

    def __init__(
        self,
        encoder: nn.Module,
        labels: int,
        dropout: float = 0.1,
        wide: WideBranch | None = None,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.wide = wide
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(int(encoder.config.hidden_size), labels)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask)
        mask = attention_mask.unsqueeze(-1).to(states.last_hidden_state.dtype)
        pooled = (states.last_hidden_state * mask).sum(1) / mask.sum(1)
        logits: Tensor = self.head(self.dropout(pooled))
        return logits if self.wide is None else logits + self.wide(input_ids, attention_mask)

    def keep_labels(self, columns: Sequence[int]) -> None:
        """Cuts the model down to these of its labels."""
        head = nn.Linear(self.head.in_features, len(columns))
        head.weight.data.copy_(self.head.weight.data[list(columns)])
        head.bias.data.copy_(self.head.bias.data[list(columns)])
        self.head = head
        if self.wide is not None:
            wide = WideBranch(self.wide.pieces, len(columns), self.wide.table.num_embeddings)
            wide.table.weight.data.copy_(self.wide.table.weight.data[:, list(columns)])
            wide.bias.data.copy_(self.wide.bias.data[list(columns)])
            self.wide = wide

    @torch.no_grad()
    def rescale(self, label: int, scale: float, shift: float) -> None:
        """Makes the logit of a label `scale` × what it was + `shift`."""
        self.head.weight[label] *= scale
        self.head.bias[label] = self.head.bias[label] * scale + shift
        if self.wide is not None:
            self.wide.table.weight[:, label] *= scale
            self.wide.bias[label] *= scale


def load_encoder(name_or_path: str) -> Any:
    """A pretrained encoder by hub name or folder, without its pooler.

    Its attention has no dropout: drawing that mask takes a sixth of a training step.
    """
    return AutoModel.from_pretrained(
        name_or_path,
        attn_implementation="eager",
        attention_probs_dropout_prob=0.0,
        add_pooling_layer=False,
        use_safetensors=True,
    )


def keep_pieces(encoder: Any, old_ids: Sequence[int]) -> None:
    """Cut the embedding of `encoder` down to the pieces `old_ids`, in that order."""
    old: Tensor = encoder.embeddings.word_embeddings.weight.data
    pruned = nn.Embedding(len(old_ids), old.shape[1], padding_idx=0)
    pruned.weight.data.copy_(old[list(old_ids)])
    encoder.embeddings.word_embeddings = pruned
    encoder.config.vocab_size = len(old_ids)


def save(
    model: MeanPooledClassifier, tokenizer_json: str, labels: Sequence[str], folder: Path
) -> None:
    """`config.json`, `model.safetensors` and `tokenizer.json` in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    config = model.encoder.config.to_dict()
    config |= {"architectures": [ARCHITECTURE], "id2label": dict(enumerate(labels))}
    config[WIDE] = model.wide.table.num_embeddings if model.wide else 0
    config["label2id"] = {label: number for number, label in enumerate(labels)}
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    (folder / "tokenizer.json").write_text(tokenizer_json, encoding="utf-8")
    state = {name: value.contiguous() for name, value in model.state_dict().items()}
    save_file(state, folder / "model.safetensors")


def empty(config: Any, labels: int) -> MeanPooledClassifier:
    """A model of this configuration, its weights still to be loaded."""
    encoder = AutoModel.from_config(config, attn_implementation="eager", add_pooling_layer=False)
    buckets = int(getattr(config, WIDE, 0))
    wide = WideBranch(config.vocab_size, labels, buckets) if buckets else None
    return MeanPooledClassifier(encoder, labels, wide=wide)


def load(folder: Path) -> tuple[MeanPooledClassifier, list[str]]:
    """What `save` wrote: the model, ready to score, and its labels."""
    config = AutoConfig.from_pretrained(folder)
    labels = [str(config.id2label[number]) for number in range(len(config.id2label))]
    model = empty(config, len(labels))
    model.load_state_dict(load_file(folder / "model.safetensors"))
    return model.eval(), labels
