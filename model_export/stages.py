"""Cutting a model into stages, so that a text which is clear early is settled early."""

from __future__ import annotations

from collections.abc import Sequence

import onnx
from onnx import helper
from torch import Tensor, nn

from mltox.scoring.session import IDS, LOGITS, MASK
from model_export.classifier import MeanPooledClassifier, mean_pooled

STATES, WIDE = "states", "wide"
_INSIDE = "model."
LEAST_ROWS = 1_000
"""Of a table of embeddings."""
_KEEP_SHAPE = {"Cast", "Mul", "Add", "LayerNormalization"}


class Staged(nn.Module):
    """The logits behind each stage, the states between them and those of the wide branch, which
    every stage adds: the outputs of the graph that `cut_stages` cuts."""

    def __init__(self, model: MeanPooledClassifier) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> tuple[Tensor, ...]:
        model = self.model
        seen = model.encoder(
            input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True
        ).hidden_states
        layers = [*model.exits, len(seen) - 1]
        wide = None if model.wide is None else model.wide(input_ids, attention_mask)
        logits = []
        for number, head in zip(layers, model.heads, strict=True):
            own = head(mean_pooled(seen[number], attention_mask))
            logits.append(own if wide is None else own + wide)
        states = [seen[number] for number in model.exits]
        return (*logits, *states) if wide is None else (*logits, *states, wide)


def output_names(exits: Sequence[int], wide: bool) -> list[str]:
    """Of the graph of `Staged`; the last logits are `logits`, as in a model of one stage."""
    logits = [f"{LOGITS}_{number}" for number in exits]
    return [*logits, LOGITS, *(f"{STATES}_{n}" for n in exits), *([WIDE] if wide else [])]


def cut_stages(model: onnx.ModelProto, exits: Sequence[int]) -> list[onnx.ModelProto]:
    """One model a stage, of the graph that `Staged` gives. The logits of each are named `logits`;
    what else a stage gives is an input of the next or of a later one, under the same name."""
    values = {value.name: value for value in [*model.graph.input, *model.graph.output]}
    given, stages = [IDS, MASK], []
    for number in [*exits, None]:
        logits = LOGITS if number is None else f"{LOGITS}_{number}"
        wanted = [logits] if number is None else [logits, f"{STATES}_{number}"]
        if WIDE in values and WIDE not in given:
            wanted.append(WIDE)
        before = next((name for name in given if name.startswith(STATES)), None)
        rewired = model if before is None else _with_shapes_of(model, before)
        stages.append(_part(rewired, values, given, wanted))
        # Of the ids a later stage may want the shape.
        given = [IDS, MASK, *wanted[1:], *(name for name in given if name == WIDE)]
    _keep_the_unused(model, stages)
    return stages


def _with_shapes_of(model: onnx.ModelProto, states: str) -> onnx.ModelProto:
    """The model, the shape of the embedded pieces taken from `states`, which have the same: a stage
    that needs nothing else of them need not hold the table of all pieces."""
    tables = {
        tensor.name
        for tensor in model.graph.initializer
        if len(tensor.dims) == 2 and tensor.dims[0] >= LEAST_ROWS
    }
    embedded = set[str]()
    rewired = onnx.ModelProto()
    rewired.CopyFrom(model)
    for node in rewired.graph.node:
        looked_up = node.op_type == "Gather" and node.input[0] in tables
        if looked_up or (node.op_type in _KEEP_SHAPE and embedded & set(node.input)):
            embedded.update(node.output)
        elif node.op_type == "Shape" and node.input[0] in embedded:
            node.input[0] = states
    return rewired


def unprefixed(model: onnx.ModelProto) -> None:
    """Gives the weights the names that they have in the model inside of `Staged`, in place."""
    new = {tensor.name: tensor.name.removeprefix(_INSIDE) for tensor in model.graph.initializer}
    for tensor in model.graph.initializer:
        tensor.name = new[tensor.name]
    for node in model.graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = new.get(name, name)


def _keep_the_unused(model: onnx.ModelProto, stages: Sequence[onnx.ModelProto]) -> None:
    """Weights that no node uses, which `restore` looks for, go into the last stage."""
    used = {tensor.name for stage in stages for tensor in stage.graph.initializer}
    stages[-1].graph.initializer.extend(
        tensor for tensor in model.graph.initializer if tensor.name not in used
    )


def _part(
    model: onnx.ModelProto,
    values: dict[str, onnx.ValueInfoProto],
    given: Sequence[str],
    wanted: Sequence[str],
) -> onnx.ModelProto:
    """What computes `wanted`, of which the first are the logits, from `given`."""
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    maker = {output: node for node in model.graph.node for output in node.output}
    made, met, waiting = set[str](), set[str](), list(wanted)
    while waiting:
        name = waiting.pop()
        if name in met or not name:
            continue
        met.add(name)
        if name not in given and name not in stored:
            made.update(maker[name].output)
            waiting += maker[name].input
    nodes = [_with_logits(node, wanted[0]) for node in model.graph.node if node.output[0] in made]
    outputs = [onnx.ValueInfoProto() for _ in wanted]
    for output, name in zip(outputs, wanted, strict=True):
        output.CopyFrom(values[name])
    outputs[0].name = LOGITS
    graph = helper.make_graph(
        nodes,
        "stage",
        [values[name] for name in given if name in met],
        outputs,
        [tensor for name, tensor in stored.items() if name in met],
    )
    part = helper.make_model(graph, opset_imports=model.opset_import)
    part.ir_version = model.ir_version
    return part


def _with_logits(node: onnx.NodeProto, name: str) -> onnx.NodeProto:
    """The node, its output `name` as `logits`."""
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    for place, output in enumerate(copy.output):
        copy.output[place] = LOGITS if output == name else output
    return copy
