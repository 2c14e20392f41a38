"""The scorer against eager PyTorch, side by side in one run on the same tweets and cores.

    python benchmarks/scoring.py tweets.csv.gz --column tweet

Three ways to score the same distinct texts, in rounds so that a busy moment of the machine hits all
alike; each way's speed is the median of its rounds.

- eager: BERT-base in PyTorch fp32, texts in order, 20 a batch, padded to the longest of the batch,
  at most 512 word pieces, which is what Detoxify's `predict` does with a list. The weights are
  random: the arithmetic is the same.
- the same BERT-base as a bundle of `mltox export`
- the default bundle

Then the share of the texts that each stage of the default bundle settles, how often the verdict is
that of all stages, and how far the probability of toxicity moved.

Prints tables in Markdown. Needs the extras [export] and [train].
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow.parquet as pq
import torch
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

from mltox.scoring import DEFAULT_BUNDLE, Scorer, load_bundle
from mltox.scoring.normalise import normalise
from mltox.scoring.session import Session, open_tokenizer
from model_export import export
from model_export.data import read_table
from model_export.train import default_base

BATCH = 20
LABELS = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")
ROUNDS = 3

Way = Callable[[Sequence[str]], object]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("tweets", type=Path, help="CSV (also .gz) or Parquet")
    parser.add_argument("--column", default="text")
    parser.add_argument("--texts", type=int, default=2_000, help="a round of the bundles")
    parser.add_argument("--eager-texts", type=int, default=200, help="a round of PyTorch")
    given = parser.parse_args()
    texts = distinct_texts(given.tweets, given.column, given.texts)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint, bundle = Path(folder) / "bert-base", Path(folder) / "bundle"
        tokenizer, model = bert_base()
        model.save_pretrained(checkpoint)
        tokenizer.save_pretrained(checkpoint)
        if export.main([str(checkpoint), "--out", str(bundle)]):
            raise SystemExit("the BERT-base bundle was refused")
        ways: list[tuple[str, Way, Sequence[str]]] = [
            ("BERT-base, eager PyTorch, batches of 20", eager(tokenizer, model),
             texts[:: max(1, len(texts) // given.eager_texts)]),
            ("BERT-base as a bundle (int8)", scorer(bundle), texts[: len(texts) // 2]),
            ("default bundle", scorer(DEFAULT_BUNDLE), texts),
        ]  # fmt: skip
        speeds = measure(ways)
    print(f"{len(texts):,} distinct texts, {torch.get_num_threads()} threads\n")
    print("| scorer | texts a second | against eager |\n|---|---:|---:|")
    for name, speed in speeds.items():
        print(f"| {name} | {speed:,.1f} | {speed / next(iter(speeds.values())):.1f} × |")
    print(stages(texts))


def stages(texts: Sequence[str]) -> str:
    """A table of the stages of the default bundle, and what settling early changed."""
    bundle = load_bundle(DEFAULT_BUNDLE)
    tokenizer, pad_id = open_tokenizer(bundle)
    rows = [encoding.ids for encoding in tokenizer.encode_batch([normalise(t) for t in texts])]
    some = [row for row in rows if len(row) <= bundle.max_length]
    found, settled = Session(bundle, 0).settled(some, pad_id)
    all_stages = tuple(stage._replace(settled_below=0.0) for stage in bundle.stages)
    whole = Session(bundle._replace(stages=all_stages), 0).logits(some, pad_id)
    toxicity = bundle.labels.index("toxicity")
    early, late = (1 / (1 + np.exp(-logits[:, toxicity])) for logits in (found, whole))
    lines = ["\n| stage | settles below | share of the texts |", "|---|---:|---:|"]
    for number, stage in enumerate(bundle.stages):
        share = float((settled == number).mean())
        lines.append(f"| {stage.file} | {stage.settled_below or '–'} | {share:.1%} |")
    same = ((early >= bundle.threshold) == (late >= bundle.threshold)).mean()
    apart = np.abs(early - late)
    lines.append(
        f"\nVerdicts equal to those of all stages: {same:.2%}. The probability of toxicity moved by"
        f" {apart.mean():.4f} on average, {apart.max():.3f} at most."
    )
    return "\n".join(lines)


def distinct_texts(path: Path, column: str, count: int) -> list[str]:
    """`count` distinct texts at even distances."""
    if path.suffix == ".parquet":
        found = pq.read_table(path, columns=[column])[column].to_pylist()
    else:
        found = [row[column] for row in read_table(path)]
    distinct = list(dict.fromkeys(text for text in found if text and text.strip()))
    return distinct[:: max(1, len(distinct) // count)][:count]


def bert_base() -> tuple[PreTrainedTokenizerFast, BertForSequenceClassification]:
    """BERT-base with random weights, and BERT's own uncased vocabulary, which MiniLM shares."""
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(Path(default_base()) / "tokenizer.json"),
        pad_token="[PAD]",
        unk_token="[UNK]",
        model_max_length=512,
    )
    torch.manual_seed(1)
    labels = dict(enumerate(LABELS))
    config = BertConfig(id2label=labels, label2id={name: n for n, name in labels.items()},
                        problem_type="multi_label_classification")  # fmt: skip
    return tokenizer, BertForSequenceClassification(config).eval()


def eager(tokenizer: PreTrainedTokenizerFast, model: BertForSequenceClassification) -> Way:
    @torch.no_grad()
    def score(texts: Sequence[str]) -> None:
        for start in range(0, len(texts), BATCH):
            inputs = tokenizer(list(texts[start : start + BATCH]), return_tensors="pt",
                               padding=True, truncation=True)  # fmt: skip
            torch.sigmoid(model(**inputs).logits)

    return score


def scorer(bundle: Path) -> Way:
    loaded = Scorer(bundle, cache_size=0)
    return lambda texts: loaded.score(texts, ["en"] * len(texts))


def measure(ways: Sequence[tuple[str, Way, Sequence[str]]]) -> dict[str, float]:
    """Texts a second by name."""
    rounds: dict[str, list[float]] = {name: [] for name, _, _ in ways}
    for _, way, texts in ways:
        way(texts[:BATCH])
    for _ in range(ROUNDS):
        for name, way, texts in ways:
            began = time.perf_counter()
            way(texts)
            rounds[name].append(len(texts) / (time.perf_counter() - began))
    return {name: median(speeds) for name, speeds in rounds.items()}


if __name__ == "__main__":
    main()
