"""Scores that a model gave to texts before: what it has said once it need not be asked again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from mltox.posts.records import LABELS, Scores
from mltox.warehouse.base import Warehouse

_COLUMNS = ", ".join(("text_sha256", *LABELS))


def scores_of_texts(
    warehouse: Warehouse, model_sha256: str, hashes: Collection[str]
) -> dict[str, Scores]:
    """By the SHA-256 of their texts, those of `hashes` that the model has scored."""
    if not hashes:
        return {}
    condition = f"model_sha256 = ? AND {warehouse.one_of('text_sha256')}"
    return _scores(warehouse, condition, [model_sha256, sorted(hashes)])


def scores_from(warehouse: Warehouse, model_sha256: str, prefix: str) -> dict[str, Scores]:
    """Those of all texts whose SHA-256 begins with `prefix`, hex digits.

    The table is clustered by the hash, so that a database reads little more than these.
    """
    condition = "model_sha256 = ? AND text_sha256 >= ? AND text_sha256 < ?"
    return _scores(warehouse, condition, [model_sha256, prefix, prefix + "g"])


def has_scores(warehouse: Warehouse, model_sha256: str) -> bool:
    """Whether the model has scored any text of the warehouse."""
    table = warehouse.relation("latest_text_scores")
    sql = f"SELECT 1 AS one FROM {table} WHERE model_sha256 = ? LIMIT 1"  # noqa: S608 - ours
    return warehouse.query(sql, [model_sha256]).num_rows > 0


def _scores(warehouse: Warehouse, condition: str, params: Sequence[Any]) -> dict[str, Scores]:
    table = warehouse.relation("latest_text_scores")
    found = warehouse.query(f"SELECT {_COLUMNS} FROM {table} WHERE {condition}", params)  # noqa: S608
    columns: Mapping[str, list[Any]] = found.to_pydict()
    rows = zip(*(columns[label] for label in LABELS), strict=True)
    return {text: Scores(*row) for text, row in zip(columns["text_sha256"], rows, strict=True)}
