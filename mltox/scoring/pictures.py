"""Emoji as the words of their names: a model that read books knows what a clown or a rat is."""

from __future__ import annotations

import re
from functools import lru_cache

import emoji

_SHORTER = {
    "face_with_tears_of_joy": "laughing",
    "rolling_on_the_floor_laughing": "laughing",
    "loudly_crying_face": "crying",
    "pile_of_poo": "shit",
    "pouting_face": "angry face",
    "enraged_face": "angry face",
    "face_with_symbols_on_mouth": "swearing face",
    "smiling_face_with_heart-eyes": "in love",
    "face_with_rolling_eyes": "rolling eyes",
    "backhand_index_pointing_down": "pointing down",
    "backhand_index_pointing_right": "pointing right",
    "person_facepalming": "facepalm",
    "woman_facepalming": "facepalm",
    "man_facepalming": "facepalm",
}
"""The commonest, whose names of the Unicode CLDR are long."""
_BEYOND = re.compile(r"[\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001faff]")


def with_names(text: str) -> str:
    """`text` with every emoji as its English name; the same one several times in a row once.

    >>> with_names("you are a 🤡🤡🤡").split()
    ['you', 'are', 'a', 'clown', 'face']
    """
    return emoji.replace_emoji(text, _Names()) if _BEYOND.search(text) else text


def removed(text: str) -> str:
    """`text` without pictures, whose names are English in a text of any language."""
    return _BEYOND.sub(" ", text)


class _Names:
    """A name for each emoji, nothing for one that repeats the one before it."""

    def __init__(self) -> None:
        self._end, self._last = -1, ""

    def __call__(self, chars: str, data: dict[str, str]) -> str:
        repeated = int(data["match_start"]) == self._end and chars == self._last
        self._end, self._last = int(data["match_end"]), chars
        return "" if repeated else f" {_name(chars)} "


@lru_cache(maxsize=4_096)
def _name(chars: str) -> str:
    name = str(emoji.EMOJI_DATA[chars]["en"]).strip(":")
    return _SHORTER.get(name) or name.replace("_", " ").replace("-", " ")
