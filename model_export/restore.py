"""Back from a bundle to a torch model: what `mltox train --continue-from` starts with."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor
from transformers import BertConfig, BertModel

from model_export.classifier import MeanPooledClassifier
from pipelines.toxicity import Bundle, BundleError
from pipelines.toxicity.bundle import MODEL

TRANSPOSED = ".T"
"""Ends the name of a weight that the graph holds as (inputs × outputs); torch has it the other way
round."""


def name_weights(model: onnx.ModelProto, state: Mapping[str, Tensor]) -> None:
    """Give the constants of an exported graph the names of the parameters they came from, in place.

    The exporter folds the transposed weights of linear layers into nameless constants.
    """
    by_value = {_key(value.T.contiguous()): f"{name}{TRANSPOSED}"
                for name, value in state.items() if value.dim() == 2}  # fmt: skip
    names = {}
    for tensor in model.graph.initializer:
        if tensor.name not in state and len(tensor.dims) == 2:
            found = by_value.get(_key(torch.from_numpy(numpy_helper.to_array(tensor).copy())))
            if found is not None:
                names[tensor.name] = found
                tensor.name = found
    for node in model.graph.node:
        for number, source in enumerate(node.input):
            node.input[number] = names.get(source, source)


def restore(bundle: Bundle) -> MeanPooledClassifier:
    """The model of a bundle that `mltox train` made, its int8 weights unpacked.

    Raises BundleError where the bundle was made from another kind of model.
    """
    config = bundle.document.get("encoder")
    if not isinstance(config, Mapping):
        raise BundleError(
            f"the bundle {bundle.name} cannot be trained further: `mltox train` did not make it"
        )
    encoder = BertModel(BertConfig(**config), add_pooling_layer=False)
    encoder.set_attn_implementation("eager")
    model = MeanPooledClassifier(encoder, len(bundle.labels))
    graph = onnx.load(str(bundle.folder / MODEL)).graph
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    state = {name: _weight(name, stored, bundle) for name in model.state_dict()}
    model.load_state_dict(state)
    return model


def _weight(name: str, stored: Mapping[str, NDArray], bundle: Bundle) -> Tensor:
    for key in (name, f"{name}{TRANSPOSED}"):
        if key in stored:
            value = stored[key].astype(np.float32)
            if f"{key}/scale" in stored:
                value = value * stored[f"{key}/scale"]
            return torch.from_numpy(value.T.copy() if key.endswith(TRANSPOSED) else value)
    raise BundleError(f"the bundle {bundle.name} lacks the weight {name}")


def _key(value: Tensor) -> tuple[tuple[int, ...], bytes]:
    return tuple(value.shape), value.detach().numpy().tobytes()
