"""Which topics a text belongs to: one pass over it, however many keywords there are.

Matching is case-folded and NFKC-normalised, so that fancy letters and full-width signs match too,
and word-bounded in every script that writes its words apart; in scripts that do not (Chinese,
Japanese, Thai, …) and for emoji a pattern matches anywhere. `#tag` matches the keyword `tag` and
the hashtag `tag`; a phrase allows any white space between its words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

import ahocorasick

from mltox.posts.topics.folding import fold
from mltox.posts.topics.topic import Topic, TopicError


class _Needle(NamedTuple):
    """A string of the automaton: its length, on which side it needs no word boundary, and whose."""

    length: int
    open_left: bool
    open_right: bool
    topics: tuple[int, ...]


class TopicMatcher:
    """Finds the topics of a text. Picklable: a process compiles equal topics once.

    A keyword that is one word is looked up among the words of the text. All others (phrases,
    hashtags, signs, scripts without spaces, emoji) are strings of one Aho–Corasick automaton
    (Aho and Corasick 1975), whose hits are then asked for word boundaries. So a text takes the time
    of its length and hits, not of the number of keywords.

    >>> matcher = TopicMatcher([Topic("votes", keywords=("election",), phrases=("polling day",))])
    >>> matcher.match("#Election: long queues on polling\\nday")
    ('votes',)
    """

    def __init__(self, topics: Iterable[Topic]) -> None:
        """Compiles the topics; raises TopicError for one without a pattern or of equal name."""
        self._topics = tuple(topics)
        self._words: dict[str, tuple[int, ...]] = {}
        strings: dict[str, tuple[int, ...]] = {}
        names: set[str] = set()
        for index, topic in enumerate(self._topics):
            if topic.name in names:
                raise TopicError(f"two topics are called {topic.name!r}")
            names.add(topic.name)
            for text in _patterns(topic):
                kept = self._words if _is_bounded_word(text) else strings
                kept[text] = (*kept.get(text, ()), index)
        self._automaton = _automaton(strings)

    def words(self) -> dict[str, tuple[str, ...]]:
        """Each topic's own keywords, phrases and hashtags.

        >>> TopicMatcher([Topic("votes", keywords=("election",))]).words()
        {'votes': ('election',)}
        """
        return {
            topic.name: (*topic.keywords, *topic.phrases, *topic.hashtags) for topic in self._topics
        }

    def match(
        self, text: str, lang: str | None = None, source: str | None = None
    ) -> tuple[str, ...]:
        """Returns the names of the topics that the text matches, in the order of the topics."""
        folded = fold(text)
        found: set[int] = set()
        for word in self._words.keys() & _WORD.findall(folded):
            found.update(self._words[word])
        if self._automaton is not None:
            self._find_strings(self._automaton, _squeezed(folded), found)
        topics = [self._topics[index] for index in sorted(found)]
        return tuple(
            topic.name
            for topic in topics
            if (lang is None or not topic.languages or lang in topic.languages)
            and topic.takes(source)
        )

    def _find_strings(self, automaton: ahocorasick.Automaton, text: str, found: set[int]) -> None:
        for last, needle in automaton.iter(text):
            if (
                not found.issuperset(needle.topics)
                and (needle.open_left or not _is_word_at(text, last - needle.length))
                and (needle.open_right or not _is_word_at(text, last + 1))
            ):
                found.update(needle.topics)
                if len(found) == len(self._topics):
                    return

    def __reduce__(self) -> tuple[object, ...]:
        return _compiled, (self._topics,)


@lru_cache(maxsize=4)
def _compiled(topics: tuple[Topic, ...]) -> TopicMatcher:
    """A run is pickled to each stage of each bundle; its topics need not be compiled for each."""
    return TopicMatcher(topics)


def _patterns(topic: Topic) -> Iterator[str]:
    """The distinct patterns of a topic as they are compared. Raises TopicError."""
    written = [
        *topic.keywords,
        *topic.phrases,
        *("#" + tag.lstrip("#＃") for tag in topic.hashtags),
    ]
    if not written:
        raise TopicError(f"topic {topic.name!r} has no keyword, phrase or hashtag")
    texts = dict.fromkeys(_squeezed(fold(pattern)) for pattern in written)
    if not all(text.strip("# ") for text in texts):
        raise TopicError(f"topic {topic.name!r} has an empty keyword, phrase or hashtag")
    yield from texts


def _squeezed(folded: str) -> str:
    """The text with each run of white space as one space, and none at its ends."""
    return " ".join(folded.split())


def _automaton(strings: Mapping[str, tuple[int, ...]]) -> ahocorasick.Automaton | None:
    """None where there is no string to look for, which the library cannot do."""
    if not strings:
        return None
    automaton = ahocorasick.Automaton()
    for text, topics in strings.items():
        left, right = _stands_anywhere(text[0]), _stands_anywhere(text[-1])
        automaton.add_word(text, _Needle(len(text), left, right, topics))
    automaton.make_automaton()
    return automaton


def _is_bounded_word(text: str) -> bool:
    return _WORD.fullmatch(text) is not None and not any(map(_stands_anywhere, text))


def _is_word_at(text: str, at: int) -> bool:
    return 0 <= at < len(text) and _WORD.match(text, at, at + 1) is not None


def _is_mark(character: str) -> bool:
    # Variation selectors belong to emoji and never to a word.
    return unicodedata.category(character) in ("Mn", "Mc") and not "\ufe00" <= character <= "\ufe0f"


def _class_of_marks() -> str:
    """Vowel signs and accents, which `\\w` leaves out although they are parts of words."""
    ranges: list[list[int]] = []
    for code in range(0x300, 0x10000):
        if _is_mark(chr(code)):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


_WORD = re.compile(r"[\w" + _class_of_marks() + "]+")

_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)


def _stands_anywhere(character: str) -> bool:
    """Whether no word boundary is to be asked for beside this character."""
    if character in "#@":
        return False
    return _UNSPACED.match(character) is not None or not _WORD.match(character)
