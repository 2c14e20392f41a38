"""ONNX models of a few nodes, written byte by byte: the tests run without the package `onnx`.

Fields by their numbers, as https://onnx.ai/onnx/intro/concepts.html and onnx.proto have them.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

FLOAT, INT64 = 1, 7


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def node(op: str, inputs: Sequence[str], output: str, attributes: bytes = b"") -> bytes:
    named = b"".join(field(1, name) for name in inputs)
    return named + field(2, output) + field(4, op) + attributes


def floats(name: str, values: Sequence[float], external: str = "") -> bytes:
    made = field(1, 1) + field(1, len(values)) + field(2, FLOAT) + field(8, name)
    if external:
        entries = {"location": external, "offset": "0", "length": str(4 * len(values))}
        told = b"".join(field(13, field(1, k) + field(2, v)) for k, v in entries.items())
        return made + told + field(14, 1)
    return made + field(9, struct.pack(f"<{len(values)}f", *values))


def shaped(name: str, kind: int, sizes: Sequence[int | str]) -> bytes:
    dims = b"".join(
        field(1, field(1, size) if isinstance(size, int) else field(2, size)) for size in sizes
    )
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, dims)))


def model(weights: Sequence[float], labels: int, external: str = "", *, told: int = 0) -> bytes:
    """Logits: the sum of a text's ids and mask, times each weight. `told` is the number of labels
    that the model says it has, where that is a lie."""
    cast = field(5, field(1, "to") + field(3, FLOAT) + field(20, 2))
    axes = field(5, field(1, "axes") + field(8, 1) + field(20, 7))
    nodes = (
        node("Add", ("input_ids", "attention_mask"), "ids"),
        node("Cast", ("ids",), "real", cast),
        node("ReduceSum", ("real",), "sum", axes),
        node("Mul", ("sum", "weights"), "logits"),
    )
    graph = b"".join(field(1, each) for each in nodes) + field(2, "tiny")
    graph += field(5, floats("weights", weights, external))
    for name in ("input_ids", "attention_mask"):
        graph += field(11, shaped(name, INT64, ("texts", "tokens")))
    graph += field(12, shaped("logits", FLOAT, ("texts", told or "labels")))
    return field(1, 8) + field(8, field(1, "") + field(2, 12)) + field(7, graph)
