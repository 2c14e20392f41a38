"""A model is tried on a few texts before it is let near posts.

A bundle whose files are what its document says may still be broken: NaN from a bad export, a head
that was never trained and says the same of everything, a graph that takes minutes for a text.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from mltox.base.errors import first_line
from mltox.scoring.bundle import BundleError
from mltox.scoring.scorer import Scorer

PROBE_TEXTS = (
    "Have a nice day, and thank you for the flowers.",
    "You are a stupid idiot and I hope that you die.",
    "The council meets on Tuesday at seven.",
    "ok",
    "😀 #vote https://example.org @somebody " + "word " * 60,
)
TRIAL_SECONDS = 120.0
"""For loading and scoring PROBE_TEXTS. The model that ships takes about one."""

T = TypeVar("T")


class UnsoundModel(BundleError):
    """Its files are what the bundle says, and it does not work: trying again would not help."""


def opened(bundle: str | Path, *, threads: int = 0, cache_size: int = 20_000) -> Scorer:
    """A scorer whose model works. Raises BundleError.

    >>> opened("nowhere")
    Traceback (most recent call last):
    mltox.scoring.bundle.BundleError: no model bundle at nowhere: it has no bundle.json
    """

    def load() -> Scorer:
        scorer = Scorer(bundle, threads=threads, cache_size=cache_size)
        check_scores(scorer)
        return scorer

    return within(
        TRIAL_SECONDS, load, f"the model of the bundle {bundle} takes more than {TRIAL_SECONDS:g} s"
    )


def check_scores(scorer: Scorer) -> None:
    """Raises UnsoundModel where the scores of PROBE_TEXTS are no probabilities, or all the same."""
    name, languages = scorer.bundle.name, scorer.bundle.languages
    try:
        scores = scorer.score(PROBE_TEXTS, [languages[0]] * len(PROBE_TEXTS))
    except Exception as error:  # of the session or of NumPy, which a wrong shape does not fit
        reason = first_line(error)[:300]
        raise UnsoundModel(f"the model of the bundle {name} fails on a text: {reason}") from None
    for label in scorer.bundle.labels:
        values = [getattr(found, label) for found in scores]
        if not all(value is not None and 0 <= value <= 1 for value in values):
            raise UnsoundModel(f"the model of the bundle {name} gives no probability of {label}")
    toxicity = [found.toxicity for found in scores]
    if len(set(toxicity)) == 1:
        raise UnsoundModel(
            f"the model of the bundle {name} says the same of every text (toxicity {toxicity[0]})"
        )


def within(seconds: float, action: Callable[[], T], complaint: str) -> T:
    """The result of an action, or UnsoundModel with the complaint where it takes longer.

    ONNX Runtime cannot be interrupted from here: what takes longer is left to a thread that ends
    with the process.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(action())
        except BaseException as error:  # whoever waits raises it
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise UnsoundModel(complaint)
    return results[0]
