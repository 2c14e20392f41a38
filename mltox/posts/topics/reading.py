"""Topics out of a YAML file. Whatever the file holds, it is topics or one clear line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mltox.base.regular_files import read_regular
from mltox.posts.languages import is_known, language
from mltox.posts.networks import NETWORKS, network_of
from mltox.posts.topics import bounded_yaml
from mltox.posts.topics.bounded_yaml import Unquoted, YamlError
from mltox.posts.topics.matcher import TopicMatcher
from mltox.posts.topics.topic import Topic, TopicError

MOST_TOPICS_BYTES = 16_000_000
LONGEST_NAME = 200
LONGEST_PATTERN = 500
"""Characters."""

_FIELDS = ("name", "keywords", "phrases", "hashtags", "languages", "sources")
_PATTERN_FIELDS = ("keywords", "phrases", "hashtags")


def load_topics(path: Path) -> list[Topic]:
    """Reads topics from a YAML file; raises TopicError with the line at fault.

    The file holds a list, or a mapping with the list under `topics`, of mappings with `name` and at
    least one of `keywords`, `phrases`, `hashtags` (lists of strings), and perhaps `languages` and
    `sources`.
    """
    try:
        content = bounded_yaml.load_bounded(read_regular(path, MOST_TOPICS_BYTES).decode())
    except OSError as error:
        raise TopicError(f"cannot read {path}: {error.strerror}") from error
    except (YamlError, UnicodeDecodeError) as error:
        raise TopicError(f"{path} is not valid YAML: {shown(str(error))}") from error
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
            known = ", ".join(_FIELDS)
            raise TopicError(f"{where}: unknown field {shown(repr(field))}; known are {known}")
    name = entry.get("name")
    if not isinstance(name, str) or not name.strip():
        raise TopicError(f"{where}: the name is missing or no string")
    if len(name.strip()) > LONGEST_NAME:
        raise TopicError(f"{where}: the name has more than {LONGEST_NAME} characters")
    lists = {field: _strings(entry.get(field), f"{where}, {field}") for field in _FIELDS[1:]}
    if not any(lists[field] for field in _PATTERN_FIELDS):
        raise TopicError(f"{where}: no keyword, phrase or hashtag")
    lists["languages"] = _languages(lists["languages"], where)
    lists["sources"] = _sources(lists["sources"], where)
    return Topic(name.strip(), **lists)


def _languages(names: Sequence[str], where: str) -> tuple[str, ...]:
    """Codes as posts have them. One that no post can have would take every post out of the topic,
    and nobody would notice."""
    codes = [language(name) for name in names]
    for name, code in zip(names, codes, strict=True):
        if code is None or not is_known(code):
            said = f"{shown(repr(name))} is no language, as en, eng and en-US are"
            raise TopicError(f"{where}: {said}")
    return tuple(dict.fromkeys(code for code in codes if code))


def _sources(names: Sequence[str], where: str) -> tuple[str, ...]:
    networks = [network_of(name) for name in names]
    for name, network in zip(names, networks, strict=True):
        if network is None:
            known = ", ".join(sorted(NETWORKS))
            raise TopicError(f"{where}: {shown(repr(name))} is no network; known are {known}")
    return tuple(dict.fromkeys(network for network in networks if network))


def _strings(value: Any, where: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list):
        raise TopicError(f"{where}: not a list of strings")
    for item in value:
        # YAML reads a bare no, 2024 or 1e3 as something else than what was typed.
        if isinstance(item, Unquoted):
            raise TopicError(f"{where}: {shown(item.written)} is no string; put it in quotes")
        if not isinstance(item, str):
            raise TopicError(f"{where}: not a list of strings")
        if len(item) > LONGEST_PATTERN:
            raise TopicError(f"{where}: one has more than {LONGEST_PATTERN} characters")
    return tuple(value)


def shown(text: str) -> str:
    """A hostile text, short and in one line."""
    return " ".join(text[:300].split())[:200]
