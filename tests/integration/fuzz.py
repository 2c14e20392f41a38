"""Payloads that nobody would send: the sample's, mutated, and random bytes and JSON."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ingest.sources.sample.writing import write_sample

LONGEST_SEED = 4_000
HOSTILE: Sequence[Any] = (
    None, True, 0, -1, 2**63, 2**64, -(2**70), 1e308, float("nan"), float("-inf"), "", " ", "\0",
    "\ud83d", "\u202e\u200b", "a" * 3_000, "1e999", "0001-01-01T00:00:00Z", "9999-12-31T23:59:60Z",
    "2026-02-30", "'; DROP TABLE scored_posts; --", "%s%n{}{0.__class__}", "<script>", [], {},
    [[[[[[[[[[]]]]]]]]]], [None], {"": ""}, {"id": {"id": {"id": 1}}}, ["a"] * 500,
)  # fmt: skip


def seeds(folder: Path, seed: int) -> list[bytes]:
    """Rows of the sample in all its formats, its faulty ones too."""
    info = write_sample(folder / "posts.jsonl", seed=seed, posts=600)
    lines = info.posts_path.read_bytes().splitlines()
    return [line for line in lines if len(line) <= LONGEST_SEED]


def payloads(rows: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    generator = random.Random(seed)
    for _ in range(count):
        yield generator.choice(MUTATIONS)(generator, rows)


Mutation = Callable[[random.Random, Sequence[bytes]], bytes]


def as_it_is(generator: random.Random, rows: Sequence[bytes]) -> bytes:
    return generator.choice(rows)


def broken_bytes(generator: random.Random, rows: Sequence[bytes]) -> bytes:
    """Bytes changed, taken out, put in, or said again."""
    row = bytearray(generator.choice(rows))
    for _ in range(generator.randint(1, 6)):
        at = generator.randrange(len(row) + 1)
        end = at + generator.randint(0, 12)
        row[at:end] = generator.choice(
            (b"", generator.randbytes(1), row[at:end] * 3, b'"', b"\\", b"{", b"]", b"\\ud83d")
        )
    return bytes(row)


def cut(generator: random.Random, rows: Sequence[bytes]) -> bytes:
    row = generator.choice(rows)
    return row[: generator.randrange(len(row) + 1)]


def spliced(generator: random.Random, rows: Sequence[bytes]) -> bytes:
    return cut(generator, rows) + generator.choice(rows)[generator.randrange(40) :]


def hostile_value(generator: random.Random, rows: Sequence[bytes]) -> bytes:
    """A value somewhere in the row is another; the JSON is sound, or nearly (NaN)."""
    try:
        value = json.loads(generator.choice(rows))
    except ValueError:
        return b"\xff"
    holder = {"row": value}
    at: Any = holder
    while isinstance(at, dict | list) and at:
        key = generator.choice(list(at) if isinstance(at, dict) else range(len(at)))
        if not isinstance(at[key], dict | list) or not at[key] or generator.random() < 0.2:
            at[key] = generator.choice(HOSTILE)
            break
        at = at[key]
    return json.dumps(holder["row"]).encode()


def random_json(generator: random.Random, rows: Sequence[bytes]) -> bytes:
    names = ("id", "text", "created_at", "data", "kind", "commit", "delete", "schema", "author")
    row = {name: generator.choice(HOSTILE) for name in generator.sample(names, 4)}
    return json.dumps(row if generator.random() < 0.7 else [row, *HOSTILE[:3]]).encode()


def random_bytes(generator: random.Random, rows: Sequence[bytes]) -> bytes:
    return generator.randbytes(generator.randrange(200))


def forged_reject(generator: random.Random, rows: Sequence[bytes]) -> bytes:
    """What our own reader writes for a row that it refused, by somebody else."""
    fields = {name: generator.choice(HOSTILE) for name in ("message", "payload", "post_id")}
    kept = generator.sample(sorted(fields), generator.randint(0, 3))
    row = {"mltox_notice": generator.choice((*HOSTILE, "forged"))}
    return json.dumps(row | {name: fields[name] for name in kept}).encode()


MUTATIONS: Sequence[Mutation] = (
    as_it_is,
    broken_bytes,
    broken_bytes,
    cut,
    spliced,
    hostile_value,
    hostile_value,
    hostile_value,
    random_json,
    random_bytes,
    forged_reject,
)
