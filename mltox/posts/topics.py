"""Topics by keyword: which topics a text belongs to.

Matching is case-folded and NFKC-normalised, so that fancy letters and full-width signs match too,
and word-bounded in every script that writes its words apart; in scripts that do not (Chinese,
Japanese, Thai, …) and for emoji a pattern matches anywhere. `#tag` matches the keyword `tag` and
the hashtag `tag`; a phrase allows any white space between its words.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from mltox.base.errors import UserError

_FIELDS = ("name", "keywords", "phrases", "hashtags", "languages", "sources")
_PATTERN_FIELDS = ("keywords", "phrases", "hashtags")


class TopicError(UserError, ValueError):
    """A topic, or a topics file, that cannot be used."""


class Topic(NamedTuple):
    """A topic.

    `languages`, if any, limits it to posts of these languages or of an unknown one; `sources`, if
    any, to posts of these networks, as a post names its own: `x`, `bluesky`, ….
    """

    name: str
    keywords: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    hashtags: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    def takes(self, source: str | None) -> bool:
        """Whether posts of a source may belong to it; None where that is not known."""
        return source is None or not self.sources or source in self.sources


class TopicMatcher:
    """Finds the topics of a text. Picklable.

    One pass cuts the text into words; each word is looked up among the first words of all
    patterns, and only where one is found does that pattern's own regular expression run.

    >>> matcher = TopicMatcher([Topic("votes", keywords=("election",), phrases=("polling day",))])
    >>> matcher.match("#Election: long queues on polling\\nday")
    ('votes',)
    """

    def __init__(self, topics: Iterable[Topic]) -> None:
        """Compiles the topics; raises TopicError for one without a pattern or of equal name."""
        self._topics = tuple(topics)
        self._by_word: dict[str, list[tuple[int, re.Pattern[str]]]] = {}
        self._anywhere: list[tuple[int, re.Pattern[str]]] = []
        names: set[str] = set()
        for index, topic in enumerate(self._topics):
            if topic.name in names:
                raise TopicError(f"two topics are called {topic.name!r}")
            names.add(topic.name)
            patterns = [*topic.keywords, *topic.phrases]
            patterns += ["#" + tag.lstrip("#＃") for tag in topic.hashtags]
            if not patterns:
                raise TopicError(f"topic {topic.name!r} has no keyword, phrase or hashtag")
            for pattern in patterns:
                self._add(index, topic.name, fold(pattern).split())

    def _add(self, index: int, name: str, words: Sequence[str]) -> None:
        text = " ".join(words)
        tokens = _WORD.findall(text)
        if not text.strip("# "):
            raise TopicError(f"topic {name!r} has an empty keyword, phrase or hashtag")
        left = "" if _stands_anywhere(text[0]) else _NOT_AFTER_WORD
        right = "" if _stands_anywhere(text[-1]) else _NOT_BEFORE_WORD
        regex = re.compile(left + r"\s+".join(map(re.escape, words)) + right)
        if left and tokens and not any(map(_stands_anywhere, text)):
            self._by_word.setdefault(tokens[0], []).append((index, regex))
        else:
            self._anywhere.append((index, regex))

    def match(
        self, text: str, lang: str | None = None, source: str | None = None
    ) -> tuple[str, ...]:
        """Returns the names of the topics that the text matches, in the order of the topics."""
        folded = fold(text)
        found: set[int] = set()
        for word in self._by_word.keys() & _WORD.findall(folded):
            for index, regex in self._by_word[word]:
                if index not in found and regex.search(folded):
                    found.add(index)
        for index, regex in self._anywhere:
            if index not in found and regex.search(folded):
                found.add(index)
        topics = [self._topics[index] for index in sorted(found)]
        return tuple(
            topic.name
            for topic in topics
            if (lang is None or not topic.languages or lang in topic.languages)
            and topic.takes(source)
        )


def fold(text: str) -> str:
    """Returns the text as it is compared: NFKC-normalised and case-folded."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def load_topics(path: Path) -> list[Topic]:
    """Reads topics from a YAML file; raises TopicError with the line at fault.

    The file holds a list, or a mapping with the list under `topics`, of mappings with `name` and at
    least one of `keywords`, `phrases`, `hashtags` (lists of strings), and perhaps `languages` and
    `sources`.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise TopicError(f"cannot read {path}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise TopicError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    if isinstance(content, Mapping):
        content = content.get("topics")
    if not isinstance(content, list) or not content:
        raise TopicError(f"{path} holds no list of topics")
    topics = [_topic(entry, f"{path}, topic {n}") for n, entry in enumerate(content, 1)]
    TopicMatcher(topics)
    return topics


def _topic(entry: Any, where: str) -> Topic:
    if not isinstance(entry, Mapping):
        raise TopicError(f"{where}: not a mapping with a name and keywords")
    for field in entry:
        if field not in _FIELDS:
            raise TopicError(f"{where}: unknown field {field!r}; known are {', '.join(_FIELDS)}")
    name = entry.get("name")
    if not isinstance(name, str) or not name.strip():
        raise TopicError(f"{where}: the name is missing or no string")
    lists = {field: _strings(entry.get(field), f"{where}, {field}") for field in _FIELDS[1:]}
    if not any(lists[field] for field in _PATTERN_FIELDS):
        raise TopicError(f"{where}: no keyword, phrase or hashtag")
    return Topic(name.strip(), **lists)


def _strings(value: Any, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        raise TopicError(f"{where}: not a list of strings")
    for item in value:
        # YAML reads a bare no, 2024 or 1e3 as something else than what was typed.
        if not isinstance(item, str):
            raise TopicError(f"{where}: {item!r} is no string; put it in quotes")
    return tuple(value)


def _is_mark(character: str) -> bool:
    # Variation selectors belong to emoji and never to a word.
    return unicodedata.category(character) in ("Mn", "Mc") and not "\ufe00" <= character <= "\ufe0f"


def _class_of_marks() -> str:
    """Vowel signs and accents, which `\\w` leaves out although they are parts of words."""
    ranges: list[list[int]] = []
    for code in range(0x300, min(0x10000, sys.maxunicode)):
        if _is_mark(chr(code)):
            if ranges and ranges[-1][1] == code - 1:
                ranges[-1][1] = code
            else:
                ranges.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


_WORD_CHARACTERS = r"[\w" + _class_of_marks() + "]"
_WORD = re.compile(_WORD_CHARACTERS + "+")
_NOT_AFTER_WORD = f"(?<!{_WORD_CHARACTERS})"
_NOT_BEFORE_WORD = f"(?!{_WORD_CHARACTERS})"

_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)


def _stands_anywhere(character: str) -> bool:
    """Whether no word boundary is to be asked for beside this character."""
    if character in "#@":
        return False
    return _UNSPACED.match(character) is not None or not _WORD.match(character)
