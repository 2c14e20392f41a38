"""What is done to a text before it is tokenised, in training and in scoring alike.

The name of the procedure (`PREPROCESSING`) is stored in every bundle: a bundle that was trained
with another one is refused rather than scored wrongly.
"""

from __future__ import annotations

import html
import re
import unicodedata

from mltox.scoring.disguise import undisguise
from mltox.scoring.pictures import removed, with_names
from mltox.scoring.runtogether import LEAST_LETTERS, apart, sentence_apart

PREPROCESSING = "mltox-3"
MAX_CHARS = 10_000
"""Characters looked at: the longest comment on Reddit, and more than nearly all posts elsewhere."""

_INVISIBLE = re.compile(
    r"[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_RETWEET = re.compile(r"^\W{0,8}RT @\w{1,30}: ?")
_LINK = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_MENTION = re.compile(r"(?<![\w@.])@\w[\w.-]*")
_MENTIONS = re.compile(r"(?:@user\s+){2,}")
_LONG_WORD = re.compile(rf"(?<![\w@/.#])[A-Za-z]{{{LEAST_LETTERS},40}}(?![\w@/]|\.\w)")
_HASHTAG = re.compile(r"#(\w+)")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)|_")
_RUN = re.compile(r"(\S)\1{3,}")
_SPACE = re.compile(r"\s+")


def normalise(text: str) -> str:
    """The text as the model sees it. Total: any `str` whatever gives a valid Unicode string.

    HTML entities are unescaped (twice: `&amp;amp;` is common in collected tweets), compatibility
    forms folded (NFKC), invisible and control characters and lone surrogates removed, a leading
    `RT @name:` dropped, links become `http`, mentions `@user`, hashtags are split at capitals,
    runs of a character cut to three, whitespace collapsed, words that hide from filters spelled out
    (`undisguise`). Case is left to the tokenizer.
    """
    text = _CONTROL.sub(" ", text[:MAX_CHARS])
    if "&" in text:
        text = _CONTROL.sub(" ", html.unescape(html.unescape(text)))
    if not text.isascii():
        text = _INVISIBLE.sub("", with_names(unicodedata.normalize("NFKC", text)))
    text = _RETWEET.sub("", text)
    text = _LINK.sub("http", text)
    if "@" in text:
        text = _MENTIONS.sub("@user ", _MENTION.sub("@user", text))
    if "#" in text:
        text = _HASHTAG.sub(_split_hashtag, text)
    text = _RUN.sub(r"\1\1\1", text)
    text = undisguise(_SPACE.sub(" ", text).strip())
    return _LONG_WORD.sub(lambda word: sentence_apart(word.group()), text)


def spoken(text: str) -> str:
    """What of a text tells its language: normalised, without pictures."""
    return normalise(text if text.isascii() else removed(text[:MAX_CHARS]))


def _split_hashtag(match: re.Match[str]) -> str:
    words = _CAMEL.sub(" ", match.group(1)).split()
    return "#" + " ".join(apart(word) if len(word) > 5 else word for word in words)
