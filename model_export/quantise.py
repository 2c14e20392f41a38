"""Static int8: fixed activation ranges, so that a text's score depends on the text alone.

Each matrix product with a weight gets QuantizeLinear and DequantizeLinear around its input (uint8,
one scale) and a DequantizeLinear behind its weight (int8, one scale a column). Its output stays
fp32, as do attention scores, normalisation and the head. Ranges are not the extremes seen: those
are set by a few outliers (min-max moves scores by up to 0.3), but the ranges with the least squared
error over the calibration texts.

Where a product moves scores too far even so, the few channels of its input that are largest are
multiplied in fp32 beside the rest (Dettmers et al. 2022): the range of the others is smaller then,
and the rounding of a weight is not multiplied by a large value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnx import helper, numpy_helper

Feed = Mapping[str, NDArray[np.int64]]
RANGE_BINS = 4_096
WEIGHT_LEVELS = 63
"""Weights use 7 bits: on x86 without VNNI, uint8 × int8 products of full range saturate in 16 bits,
and the same model would score differently there."""
OUTLIERS = 32
"""Channels of an input that can be multiplied in fp32; 8 to 96 were tried."""
LEAST_VALUES = 10_000
"""Of a matrix that is worth it."""
STORED_LEVELS = 127
"""Of weights that are only stored as int8 and multiplied as fp32."""


class Range(NamedTuple):
    low: float
    high: float


class Input(NamedTuple):
    """What calibration saw of the input of a product: the range of all its channels, the numbers of
    the `OUTLIERS` largest channels, and the range of the rest."""

    range: Range
    outliers: NDArray[np.int64]
    rest: Range


def weight_products(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    """The MatMuls with a constant matrix on the right that are worth quantising."""
    weights = {
        tensor.name
        for tensor in model.graph.initializer
        if len(tensor.dims) == 2 and np.prod(tensor.dims) >= LEAST_VALUES
    }
    return [
        node for node in model.graph.node if node.op_type == "MatMul" and node.input[1] in weights
    ]


def input_ranges(model: onnx.ModelProto, feeds: Sequence[Feed]) -> dict[str, Input]:
    """For the input of each weight product, the ranges of least squared error."""
    names = sorted({node.input[0] for node in weight_products(model)})
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    del probe.graph.output[:]
    probe.graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    session = onnxruntime.InferenceSession(
        probe.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    lows: dict[str, NDArray[np.float32]] = {}
    highs: dict[str, NDArray[np.float32]] = {}
    for values in _real_tokens(session, names, feeds):
        for name, seen in values.items():
            lows[name] = np.minimum(seen.min(axis=0), lows.get(name, 0))
            highs[name] = np.maximum(seen.max(axis=0), highs.get(name, 0))
    groups: dict[str, list[NDArray[np.int64]]] = {}
    for name in names:
        by_peak = np.argsort(-np.maximum(highs[name], -lows[name]), kind="stable")
        groups[name] = [by_peak, by_peak[min(OUTLIERS, len(by_peak) // 4) :]]
    counts = {name: [np.zeros(RANGE_BINS) for _ in channels] for name, channels in groups.items()}
    edges = {
        name: [(float(lows[name][c].min()), float(highs[name][c].max())) for c in channels]
        for name, channels in groups.items()
    }
    for values in _real_tokens(session, names, feeds):
        for name, seen in values.items():
            for count, channels, (low, high) in zip(
                counts[name], groups[name], edges[name], strict=True
            ):
                count += np.histogram(seen[:, channels], RANGE_BINS, (low, max(high, low + 1e-6)))[
                    0
                ]
    found = {}
    for name in names:
        of_all, of_rest = (
            best_range(count, *ends) for count, ends in zip(counts[name], edges[name], strict=True)
        )
        every, rest = groups[name]
        found[name] = Input(of_all, np.setdiff1d(every, rest), of_rest)
    return found


def _real_tokens(
    session: onnxruntime.InferenceSession, names: Sequence[str], feeds: Sequence[Feed]
) -> Iterable[dict[str, NDArray[np.float32]]]:
    """The values of each tensor at the tokens that are not padding, tokens × channels."""
    for feed in feeds:
        mask = np.asarray(feed["attention_mask"], dtype=bool)
        values = session.run(list(names), dict(feed))
        yield {
            name: value[mask]
            if value.shape[:2] == mask.shape
            else value.reshape(-1, value.shape[-1])
            for name, value in zip(names, values, strict=True)
        }


def best_range(counts: NDArray[np.float64], low: float, high: float) -> Range:
    """The part of [low, high] whose 256 steps lose least, summed over a histogram of the values.

    A value inside loses at most half a step (on average step²/12 squared), one outside its distance
    to the edge. Both ends are searched in turn; 0 is always inside, as padding and ReLU need.
    """
    edges = np.linspace(low, max(high, low + 1e-6), len(counts) + 1)
    centres = (edges[:-1] + edges[1:]) / 2

    def loss(bottom: float, top: float) -> float:
        step = (top - bottom) / 255
        outside = np.clip(bottom - centres, 0, None) + np.clip(centres - top, 0, None)
        return float((counts * np.where(outside > 0, outside**2, step**2 / 12)).sum())

    bottom, top = low, high
    fractions = np.geomspace(1, 0.02, 80)
    for _ in range(3):
        top = min((max(high, 1e-6) * f for f in fractions), key=lambda end: loss(bottom, end))
        bottom = min((low * f for f in fractions), key=lambda end: loss(end, top))
    return Range(bottom, top)


def quantise(
    model: onnx.ModelProto,
    inputs: Mapping[str, Input],
    keep: Iterable[str] = (),
    split: Iterable[str] = (),
) -> onnx.ModelProto:
    """A copy of `model` with its weight products in int8.

    The products of the weights `split` multiply the outliers of their input in fp32, except where
    several products share a weight (ALBERT), for their inputs have other outliers. Those of the
    weights `keep` compute in fp32 altogether; the weights are stored as int8 all the same, at a
    quarter of the size.
    """
    result = onnx.ModelProto()
    result.CopyFrom(model)
    graph = result.graph
    uses = Counter(node.input[1] for node in weight_products(model))
    kept = set(keep)
    divided = {weight for weight in split if uses[weight] == 1} - kept
    products = {node.output[0] for node in weight_products(model)}
    weights = {tensor.name: tensor for tensor in graph.initializer}
    nodes: list[onnx.NodeProto] = []
    done: set[str] = set()
    for node in list(graph.node):
        if node.output[0] not in products:
            nodes.append(node)
            continue
        source, weight = node.input
        levels = STORED_LEVELS if weight in kept else WEIGHT_LEVELS
        rounded, range_ = source, inputs[source].range
        if weight in divided:
            outliers = inputs[source].outliers
            nodes += _in_fp32_beside(graph, node, weights[weight], outliers)
            rounded, range_ = f"{source}/rest", inputs[source].rest
        if weight not in done:
            nodes.append(_quantised_weight(graph, weights[weight], levels))
            done.add(weight)
        node.input[1] = f"{weight}/dequantised"
        if weight not in kept:
            if rounded not in done:
                nodes += _quantised_input(graph, source, rounded, range_)
                done.add(rounded)
            node.input[0] = f"{rounded}/dequantised"
        nodes.append(node)
        if weight in divided:
            total = node.output[0]
            node.output[0] = f"{total}/rest"
            nodes.append(helper.make_node("Add", [f"{total}/rest", f"{total}/outliers"], [total]))
    del graph.node[:]
    graph.node.extend(nodes)
    return result


def _in_fp32_beside(
    graph: onnx.GraphProto,
    node: onnx.NodeProto,
    tensor: onnx.TensorProto,
    outliers: NDArray[np.int64],
) -> list[onnx.NodeProto]:
    """Takes the rows `outliers` out of a weight, into a small product of their own."""
    values = numpy_helper.to_array(tensor).copy()
    own, total = values[outliers].copy(), node.output[0]
    values[outliers] = 0
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    channels, weight = f"{tensor.name}/channels", f"{tensor.name}/outliers"
    graph.initializer.extend(
        [numpy_helper.from_array(outliers, channels), numpy_helper.from_array(own, weight)]
    )
    picked = f"{total}/picked"
    return [
        helper.make_node("Gather", [node.input[0], channels], [picked], axis=-1),
        helper.make_node("MatMul", [picked, weight], [f"{total}/outliers"]),
    ]


def _quantised_input(
    graph: onnx.GraphProto, source: str, name: str, range_: Range
) -> list[onnx.NodeProto]:
    """`source`, rounded, as `name`/dequantised."""
    scale = max((range_.high - range_.low) / 255, 1e-8)
    zero = int(np.clip(round(-range_.low / scale), 0, 255))
    graph.initializer.extend(
        [
            numpy_helper.from_array(np.asarray(scale, np.float32), f"{name}/scale"),
            numpy_helper.from_array(np.asarray(zero, np.uint8), f"{name}/zero"),
        ]
    )
    constants = [f"{name}/scale", f"{name}/zero"]
    return [
        helper.make_node("QuantizeLinear", [source, *constants], [f"{name}/quantised"]),
        helper.make_node(
            "DequantizeLinear", [f"{name}/quantised", *constants], [f"{name}/dequantised"]
        ),
    ]


def _quantised_weight(
    graph: onnx.GraphProto, tensor: onnx.TensorProto, most: int
) -> onnx.NodeProto:
    values, name = numpy_helper.to_array(tensor), tensor.name
    scales = (np.abs(values).max(axis=0) / most).astype(np.float32)
    scales[scales == 0] = 1
    levels = np.rint(values / scales).astype(np.int8)
    graph.initializer.remove(tensor)
    graph.initializer.extend(
        [
            numpy_helper.from_array(levels, name),
            numpy_helper.from_array(scales, f"{name}/scale"),
            numpy_helper.from_array(np.zeros(len(scales), np.int8), f"{name}/zero"),
        ]
    )
    return helper.make_node(
        "DequantizeLinear",
        [name, f"{name}/scale", f"{name}/zero"],
        [f"{name}/dequantised"],
        axis=1,
    )
