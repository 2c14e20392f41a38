"""Back from a bundle to a torch model: what `mltox train --continue-from` starts with."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor
from transformers import BertConfig

from mltox.scoring import Bundle, BundleError
from model_export.classifier import MeanPooledClassifier, untrained

TRANSPOSED = ".T"
"""Ends the name of a weight that the graph holds as (inputs × outputs); torch has it the other way
round."""


def name_weights(model: onnx.ModelProto, state: Mapping[str, Tensor]) -> None:
    """Give the constants of an exported graph the names of the parameters they came from, in place.

    The exporter folds the transposed weights of linear layers into nameless constants, and keeps
    one of several equal vectors.
    """
    graph = model.graph
    by_value = {_key(value.T.contiguous().numpy()): f"{name}{TRANSPOSED}"
                for name, value in state.items() if value.dim() == 2}  # fmt: skip
    names: dict[str, str] = {}
    for tensor in list(graph.initializer):
        found = by_value.get(_key(numpy_helper.to_array(tensor)))
        if tensor.name in state or found is None:
            continue
        if found in names.values():
            graph.initializer.remove(tensor)
        names[tensor.name] = tensor.name = found
    for node in graph.node:
        for number, source in enumerate(node.input):
            node.input[number] = names.get(source, source)
    stored = {tensor.name for tensor in graph.initializer}
    for name, value in state.items():
        if value.dim() == 1 and name not in stored:
            graph.initializer.append(numpy_helper.from_array(value.numpy(), name))


def restore(bundle: Bundle) -> MeanPooledClassifier:
    """The model of a bundle that `mltox train` made, its int8 weights unpacked.

    Raises BundleError where the bundle was made from another kind of model.
    """
    config = bundle.document.get("encoder")
    if not isinstance(config, Mapping):
        raise BundleError(
            f"the bundle {bundle.name} cannot be trained further: `mltox train` did not make it"
        )
    model = untrained(BertConfig(**config), len(bundle.labels))
    stored = {
        tensor.name: numpy_helper.to_array(tensor)
        for stage in bundle.stages
        for tensor in onnx.load(str(bundle.folder / stage.file)).graph.initializer
    }
    state = {name: _weight(name, stored, bundle) for name in model.state_dict()}
    model.load_state_dict(state)
    return model


def _weight(name: str, stored: Mapping[str, NDArray], bundle: Bundle) -> Tensor:
    for key in (name, f"{name}{TRANSPOSED}"):
        if key in stored:
            value = stored[key].astype(np.float32)
            if f"{key}/scale" in stored:
                value = value * stored[f"{key}/scale"]
            if f"{key}/outliers" in stored:
                value[stored[f"{key}/channels"]] = stored[f"{key}/outliers"]
            return torch.from_numpy(value.T.copy() if key.endswith(TRANSPOSED) else value)
    raise BundleError(f"the bundle {bundle.name} lacks the weight {name}")


def _key(value: NDArray) -> tuple[tuple[int, ...], bytes]:
    return value.shape, value.tobytes()
