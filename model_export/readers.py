"""What each labelled set says of a text: its own question, put into our labels.

A set that asked only for sexism says nothing of other abuse: what it does not say stays unknown.
Where a set keeps the votes of several people, their share is the label.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from model_export.examples import TRAINED_LABELS, UNKNOWN, LabelledText

TRUTH = 0.5
"""How much the label of a person counts beside what a teacher says."""

TextRow = Mapping[str, str]
RowReader = Callable[[TextRow], LabelledText | None]


class LabelledSet(NamedTuple):
    """A set of the known folder: its file, its licence, and how a row of it is read."""

    file: str
    licence: str
    read: RowReader
    trust: float = TRUTH
    """How much its label of toxicity counts beside what a teacher says. Sets that asked for hate,
    not for offence, teach a model to take a topic for toxic; they count less."""


def davidson(row: TextRow) -> LabelledText | None:
    """Tweets with the share of annotators who called them hateful or offensive.

    Two thirds of the offensive class are left out (by hash): it outnumbers all else and is mostly
    one word.
    """
    if row["class"] == "1" and _hashed(row["tweet"]) % 16 >= 3:
        return None
    offended = int(row["hate_speech"]) + int(row["offensive_language"])
    return _example(row["tweet"], toxicity=offended / int(row["count"]))


def stormfront(row: TextRow) -> LabelledText | None:
    """Forum sentences, every hateful one (an attack on a group) and a third of the others."""
    if row["label"] == "hate":
        return _example(row["text"], toxicity=1.0, identity_attack=1.0)
    if row["label"] == "noHate" and _hashed(row["text"]) % 3 == 0:
        return _example(row["text"], toxicity=0.0)
    return None


def ruddit(row: TextRow) -> LabelledText | None:
    """Reddit comments with an offensiveness from -1 to 1 (best-worst scaling; Hada et al. 2021).

    The scale has no zero of its own: 0.3 is where comments begin to read as offensive.
    """
    if row["comment_body"] in ("[deleted]", "[removed]"):
        return None
    offensiveness = float(row["offensiveness_score"])
    return _example(row["comment_body"], toxicity=1 / (1 + math.exp(-8 * (offensiveness - 0.3))))


def civil(row: TextRow) -> LabelledText | None:
    """News comments that a first round of people rated toxic; the votes of a second round.

    The first round counts a fifth: what nobody of the second found toxic is still no clean text.
    """
    people = int(row["annotators"])
    if people > 20:  # one comment was a test of the annotators
        return None

    def share(votes: str) -> float:
        return min(1.0, int(row[votes]) / people)

    return _example(
        row["text"],
        toxicity=0.2 + 0.8 * (1 - share("say_not_toxic")),
        obscene=share("votes_profane_obscene"),
        threat=share("votes_threat"),
        insult=share("votes_insult"),
        identity_attack=share("votes_identity_based_attack"),
    )


_SEXISM = {"1": 0.95, "2": 0.9, "3": 0.75, "4": 0.65}
"""Toxicity by category: threats, derogation, animosity, prejudiced discussion."""


def edos(row: TextRow) -> LabelledText | None:
    """Posts of Reddit and Gab, sexist or not (Kirk et al. 2023). Of the others nothing is known in
    our labels: a teacher may label them."""
    text = row["text"].replace("[USER]", "@user").replace("[URL]", "http")
    if row["label_sexist"] != "sexist":
        return _example(text)
    return _example(text, toxicity=_SEXISM[row["label_category"][0]], identity_attack=0.8)


def hatemoji(row: TextRow) -> LabelledText | None:
    """Sentences with emoji in contrast pairs, hateful or not (Kirk et al. 2022). The others are
    everyday sentences, some of them rude."""
    if row["label_gold"] == "1":
        return _example(row["text"], toxicity=0.95, identity_attack=1.0)
    return _example(row["text"], toxicity=0.1, identity_attack=0.0)


_IMPLICIT = {"explicit_hate": (1.0, 1.0), "implicit_hate": (0.8, 0.8), "not_hate": (0.25, 0.1)}


def implicit_hate(row: TextRow) -> LabelledText | None:
    """Tweets of extremist accounts (ElSherief et al. 2021). What is not hate there is often hostile
    still, and half of it is left out (by hash)."""
    if row["class"] == "not_hate" and _hashed(row["text"]) % 2:
        return None
    toxicity, attack = _IMPLICIT[row["class"]]
    return _example(row["text"], toxicity=toxicity, identity_attack=attack)


_HATEXPLAIN = {"0": (0.15, 0.05), "1": (0.85, UNKNOWN), "2": (1.0, 0.9)}


def hatexplain(row: TextRow) -> LabelledText | None:
    """Posts of X and Gab: normal, offensive or hateful (Mathew et al. 2021), every second of them
    (by hash): they have lost case and punctuation."""
    if _hashed(row["text"]) % 2:
        return None
    toxicity, attack = _HATEXPLAIN[row["label"]]
    text = row["text"].replace("<user>", "@user").replace("<number>", "10")
    return _example(text, toxicity=toxicity, identity_attack=attack)


def reddit_misogyny(row: TextRow) -> LabelledText | None:
    """Reddit posts, misogynous or not (Guest et al. 2021): of the others nothing is known."""
    if row["level_1"] != "Misogynistic":
        return _example(row["text"])
    return _example(row["text"], toxicity=0.85, identity_attack=0.8)


def fox_news(row: TextRow) -> LabelledText | None:
    """News comments, hateful or not (Gao & Huang 2017)."""
    if row["label"] == "1":
        return _example(row["text"], toxicity=0.95, identity_attack=0.9)
    return _example(row["text"], toxicity=0.2, identity_attack=0.0)


SETS: Mapping[str, LabelledSet] = {
    "davidson": LabelledSet("davidson_hate_offensive_tweets.csv.gz", "MIT", davidson),
    "stormfront": LabelledSet("stormfront_sentences.csv.gz", "CC BY-SA 3.0", stormfront),
    "ruddit": LabelledSet("ruddit_with_text.csv.gz", "labels MIT", ruddit),
    "civil": LabelledSet("toxicspans_civil.csv.gz", "CC0", civil),
    "edos": LabelledSet("edos_sexism.csv.gz", "CC0", edos, 0.25),
    "hatemoji": LabelledSet("hatemoji_build.csv.gz", "CC BY 4.0", hatemoji, 0.35),
    "implicit_hate": LabelledSet("implicit_hate.csv.gz", "MIT", implicit_hate, 0.1),
    "hatexplain": LabelledSet("hatexplain_nopunct.csv.gz", "MIT", hatexplain),
    "reddit_misogyny": LabelledSet("reddit_misogyny.csv.gz", "MIT", reddit_misogyny, 0.25),
    "fox_news": LabelledSet("fox_news_comments.csv.gz", "MIT", fox_news),
}
"""Beside Jigsaw, what `mltox train` knows of a folder."""


def trust(source: str) -> float:
    """How much a label of toxicity of the source counts; see `LabelledSet.trust`."""
    return SETS[source].trust if source in SETS else TRUTH


def asks_for_toxicity(source: str) -> bool:
    """Whether the people who labelled the source were asked what we ask."""
    return trust(source) >= TRUTH


def read_set(name: str, rows: Iterator[dict[str, str]]) -> list[LabelledText]:
    """The examples of the set `name`."""
    read = SETS[name].read
    found = (read(row) for row in rows)
    return [example._replace(source=name) for example in found if example is not None]


def _example(text: str, **labels: float) -> LabelledText:
    return LabelledText(text, tuple(labels.get(label, UNKNOWN) for label in TRAINED_LABELS), "")


def _hashed(text: str) -> int:
    return zlib.crc32(text.encode())
