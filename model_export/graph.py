"""From a torch module to an fp32 ONNX graph, and the small repairs that int8 needs."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn


def to_onnx(model: nn.Module, pad_id: int, outputs: Sequence[str] = ("logits",)) -> onnx.ModelProto:
    """`input_ids`, `attention_mask` (int64, texts × tokens) to `outputs`; both axes dynamic."""
    ids = torch.full((2, 16), pad_id, dtype=torch.int64)
    ids[:, :8] = torch.arange(5, 13)
    mask = (torch.arange(16) < torch.tensor([[8], [6]])).to(torch.int64)
    stream = io.BytesIO()
    axes = {0: "texts", 1: "tokens"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracer's remarks on constants
        torch.onnx.export(
            model.eval(),
            (ids, mask),
            stream,
            input_names=["input_ids", "attention_mask"],
            output_names=list(outputs),
            dynamic_axes={"input_ids": axes, "attention_mask": axes}
            | {name: axes if name.startswith("states") else {0: "texts"} for name in outputs},
            opset_version=17,
            dynamo=False,
        )
    graph = onnx.load_from_string(stream.getvalue())
    _inline_aliases(graph)
    return graph


def _inline_aliases(model: onnx.ModelProto) -> None:
    """Let every use of a constant name it directly. The exporter gives the second use of a shared
    weight (ALBERT's layers) another name, through an Identity node."""
    constants = {tensor.name for tensor in model.graph.initializer}
    aliases = {
        node.output[0]: node.input[0]
        for node in model.graph.node
        if node.op_type == "Identity" and node.input[0] in constants
    }
    nodes = [node for node in model.graph.node if node.output[0] not in aliases]
    for node in nodes:
        for number, source in enumerate(node.input):
            node.input[number] = aliases.get(source, source)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def shrink_embeddings(model: onnx.ModelProto, *, least_rows: int = 1_000) -> None:
    """Store large embedding tables as int8 with one scale a row, in place.

    Rows are looked up as int8 and only they are scaled: a DequantizeLinear would unpack the whole
    table for every batch.
    """
    graph = model.graph
    tables = {tensor.name: tensor for tensor in graph.initializer}
    nodes = []
    for node in graph.node:
        table = tables.get(node.input[0]) if node.op_type == "Gather" else None
        if table is None or len(table.dims) != 2 or table.dims[0] < least_rows:
            nodes.append(node)
            continue
        values = numpy_helper.to_array(table)
        scales = np.abs(values).max(axis=1, keepdims=True).astype(np.float32) / 127
        scales[scales == 0] = 1
        rows = np.rint(values / scales).astype(np.int8)
        name = table.name
        graph.initializer.remove(table)
        graph.initializer.extend(
            [numpy_helper.from_array(rows, name), numpy_helper.from_array(scales, f"{name}/scale")]
        )
        ids, out = node.input[1], node.output[0]
        nodes += [
            helper.make_node("Gather", [name, ids], [f"{out}/rows"]),
            helper.make_node("Gather", [f"{name}/scale", ids], [f"{out}/scales"]),
            helper.make_node("Cast", [f"{out}/rows"], [f"{out}/float"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"{out}/float", f"{out}/scales"], [out]),
        ]
    del graph.node[:]
    graph.node.extend(nodes)
