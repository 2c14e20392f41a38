"""Pruning a WordPiece vocabulary: most of a small encoder's weights are words it never meets."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

from tokenizers import Tokenizer


def pruned(tokenizer_json: str, texts: Iterable[str], size: int) -> tuple[str, list[int]]:
    """A tokenizer of at most `size` pieces and, for each of them, its id in the old one.

    Kept are the special pieces, every single ASCII character (so that any Latin word can still be
    spelled), the pieces met in `texts` by frequency, and then the first of the old vocabulary,
    which BERT orders by frequency. Ids keep their old order.
    """
    document: dict[str, Any] = json.loads(tokenizer_json)
    vocabulary: dict[str, int] = document["model"]["vocab"]
    tokenizer = Tokenizer.from_str(tokenizer_json)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    met: Counter[int] = Counter()
    for text in texts:
        met.update(tokenizer.encode(text, add_special_tokens=False).ids)

    keep = {added["id"] for added in document["added_tokens"]}
    keep |= {
        number
        for piece, number in vocabulary.items()
        if len(piece.removeprefix("##")) == 1 and piece.isascii()
    }
    unused = {number for piece, number in vocabulary.items() if piece.startswith("[unused")}
    ranked = [number for number, _ in met.most_common()]
    for number in [*ranked, *sorted(set(vocabulary.values()) - unused)]:
        if len(keep) >= size:
            break
        keep.add(number)

    old_ids = sorted(keep)
    new_id = {old: new for new, old in enumerate(old_ids)}
    document["model"]["vocab"] = {
        piece: new_id[number]
        for piece, number in sorted(vocabulary.items(), key=lambda item: item[1])
        if number in keep
    }
    for added in document["added_tokens"]:
        added["id"] = new_id[added["id"]]
    for special in document["post_processor"]["special_tokens"].values():
        special["ids"] = [new_id[old] for old in special["ids"]]
    document["truncation"] = document["padding"] = None
    return json.dumps(document, ensure_ascii=False), old_ids
