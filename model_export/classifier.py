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
EXITS_ENTRY = "exits"
"""Entry of the configuration: the numbers of layers behind which a text may be settled early."""


class MeanPooledClassifier(nn.Module):
    """Logits of shape (batch, labels) from ids and mask of shape (batch, tokens).

    The logits of `wide`, where there is one, are added to the network's. Behind each number of
    layers in `exits` stands a head of its own, whose logits come cheaper (Teerapittayanon et al.
    2016, BranchyNet; Xin et al. 2020, DeeBERT).
    """

    def __init__(
        self,
        encoder: nn.Module,
        labels: int,
        dropout: float = 0.1,
        wide: WideBranch | None = None,
        exits: Sequence[int] = (),
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.wide = wide
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(int(encoder.config.hidden_size), labels)
        self.add_exits(exits)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        states = self.encoder(input_ids=input_ids, attention_mask=attention_mask)
        logits = self.head(self.dropout(mean_pooled(states.last_hidden_state, attention_mask)))
        return self._with_wide(logits, input_ids, attention_mask)

    def all_logits(self, input_ids: Tensor, attention_mask: Tensor) -> list[Tensor]:
        """Those of each exit, and last those of the whole network."""
        states = self.encoder(
            input_ids=input_ids,
            attention_mask=attention_mask,
            output_hidden_states=bool(self.exits),
        )
        found = [
            head(self.dropout(mean_pooled(states.hidden_states[layers], attention_mask)))
            for layers, head in zip(self.exits, self.early, strict=True)
        ]
        last = mean_pooled(states.last_hidden_state, attention_mask)
        found.append(self.head(self.dropout(last)))
        return [self._with_wide(logits, input_ids, attention_mask) for logits in found]

    def _with_wide(self, logits: Tensor, ids: Tensor, mask: Tensor) -> Tensor:
        return logits if self.wide is None else logits + self.wide(ids, mask)

    @property
    def heads(self) -> list[nn.Linear]:
        """The head of each exit, and the last one."""
        return [*self.early, self.head]

    def add_exits(self, layers: Sequence[int]) -> None:
        """Heads, still to be trained, behind these numbers of layers."""
        self.exits = tuple(layers)
        self.early = nn.ModuleList(
            nn.Linear(self.head.in_features, self.head.out_features) for _ in layers
        )

    def cut_behind(self, layers: int) -> None:
        """Makes the exit behind `layers` the end of the network. Raises ValueError without one."""
        last = self.exits.index(layers)
        self.head = self.heads[last]
        self.early = self.early[:last]
        self.exits = self.exits[:last]
        self.encoder.encoder.layer = self.encoder.encoder.layer[:layers]
        self.encoder.config.num_hidden_layers = layers

    def keep_labels(self, columns: Sequence[int]) -> None:
        """Cuts the model down to these of its labels."""
        chosen = list(columns)
        self.head = _cut(self.head, chosen)
        self.early = nn.ModuleList(_cut(head, chosen) for head in self.heads[:-1])
        if self.wide is not None:
            wide = WideBranch(self.wide.pieces, len(chosen), self.wide.table.num_embeddings)
            wide.table.weight.data.copy_(self.wide.table.weight.data[:, chosen])
            wide.bias.data.copy_(self.wide.bias.data[chosen])
            self.wide = wide

    @torch.no_grad()
    def rescale(self, label: int, scale: float, shift: float) -> None:
        """Makes the logit of a label `scale` × what it was + `shift`; that of the exits
        `scale` × what it was."""
        for head in self.heads:
            head.weight[label] *= scale
            head.bias[label] *= scale
        self.head.bias[label] += shift
        if self.wide is not None:
            self.wide.table.weight[:, label] *= scale
            self.wide.bias[label] *= scale


def mean_pooled(states: Tensor, mask: Tensor) -> Tensor:
    """The mean of the states (batch × tokens × channels) at the tokens that are no padding."""
    present = mask.unsqueeze(-1).to(states.dtype)
    pooled: Tensor = (states * present).sum(1) / present.sum(1)
    return pooled


def _cut(head: nn.Linear, columns: Sequence[int]) -> nn.Linear:
    smaller = nn.Linear(head.in_features, len(columns))
    smaller.weight.data.copy_(head.weight.data[list(columns)])
    smaller.bias.data.copy_(head.bias.data[list(columns)])
    return smaller


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
    config[EXITS_ENTRY] = list(model.exits)
    config["label2id"] = {label: number for number, label in enumerate(labels)}
    (folder / "config.json").write_text(json.dumps(config, indent=1))
    (folder / "tokenizer.json").write_text(tokenizer_json, encoding="utf-8")
    state = {name: value.contiguous() for name, value in model.state_dict().items()}
    save_file(state, folder / "model.safetensors")


def untrained(config: Any, labels: int) -> MeanPooledClassifier:
    """A model of this configuration, its weights still to be loaded."""
    encoder = AutoModel.from_config(config, attn_implementation="eager", add_pooling_layer=False)
    buckets = int(getattr(config, WIDE, 0))
    wide = WideBranch(config.vocab_size, labels, buckets) if buckets else None
    return MeanPooledClassifier(
        encoder, labels, wide=wide, exits=tuple(getattr(config, EXITS_ENTRY, None) or ())
    )


def load_classifier(folder: Path) -> tuple[MeanPooledClassifier, list[str]]:
    """What `save` wrote: the model, ready to score, and its labels."""
    config = AutoConfig.from_pretrained(folder)
    labels = [str(config.id2label[number]) for number in range(len(config.id2label))]
    model = untrained(config, len(labels))
    model.load_state_dict(load_file(folder / "model.safetensors"))
    return model.eval(), labels
