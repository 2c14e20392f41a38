"""Topics as queries of X: the rules of its filtered stream, which its search takes as well.

Syntax: https://docs.x.com/x-api/posts/filtered-stream/integrate/build-a-rule
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mltox.posts.topics import Topic

TAG = "mltox:"
"""What the tags of our rules begin with. Rules of others on the same account are left alone."""

SHORTEST_RULE = 128
"""The least length of a rule that is of use: languages, and a keyword."""
_HASHES = "#＃"
_PLAIN = re.compile(r"[A-Za-z0-9_]+")
_OPERATORS = {"and", "or", "not"}
_HASHTAG = re.compile(r"(?=.*\D)\w+")
_ACCOUNT = re.compile(r"@[A-Za-z0-9_]{1,15}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")
_LANGUAGES_OF_X = {"id": "in", "he": "iw"}


class RuleError(ValueError):
    """A topic that X cannot be asked for, or more rules than it takes. One line for the person."""


class Rule(NamedTuple):
    """A rule of the stream; `id` is X's own, empty for one that is not there yet."""

    value: str
    tag: str
    id: str = ""


class RuleChanges(NamedTuple):
    """What makes the rules on X those that are wanted."""

    add: tuple[Rule, ...]
    delete: tuple[Rule, ...]
    delete_first: bool


def queries(topic: Topic, length: int) -> list[str]:
    """Returns what asks X for a topic, in as few queries as fit `length` characters each.

    A keyword or phrase is quoted where it is more than a plain word. Punctuation has no meaning
    between quotes, so a quote within is a space. Posts of an unknown language are asked for as
    well, as `TopicMatcher` takes them. Raises RuleError.
    """
    languages = _languages(topic)
    room = length - (len(languages) + 3 if languages else 0)
    groups: list[str] = []
    for term in _terms(topic):
        if _characters(term) > room:
            raise RuleError(
                f"topic {topic.name!r}: a keyword makes a rule of more than {length} characters"
            )
        if groups and _characters(joined := f"{groups[-1]} OR {term}") <= room:
            groups[-1] = joined
        else:
            groups.append(term)
    if not groups:
        raise RuleError(f"topic {topic.name!r} has no word that X could look for")
    return [f"({group}) {languages}" if languages else group for group in groups]


def rules(topics: Iterable[Topic], length: int) -> list[Rule]:
    """Returns the rules of all topics. X refuses a second rule that says the same: it is left out,
    the text of a post tells its other topics."""
    by_value: dict[str, Rule] = {}
    for topic in topics:
        for value in queries(topic, length):
            by_value.setdefault(value, Rule(value, TAG + topic.name))
    return list(by_value.values())


def difference(there: Sequence[Rule], wanted: Sequence[Rule], most: int) -> RuleChanges:
    """Returns what to add and what to delete, so that `wanted` are there and none else of ours.

    New rules come before old ones go, so that a changed topic misses nothing, unless X has no room
    for both (`most` rules) or a rule only changes its topic. Raises RuleError for more than `most`.
    """
    others = [rule for rule in there if not rule.tag.startswith(TAG)]
    ours = {rule[:2]: rule for rule in there if rule.tag.startswith(TAG)}
    needed = {rule[:2] for rule in wanted}
    if len(needed) + len(others) > most:
        beside = f" beside {len(others)} that are not ours" if others else ""
        raise RuleError(f"the topics make {len(needed)} rules{beside}; X takes {most}")
    others_values = {rule.value for rule in others}
    add = [rule for rule in wanted if rule[:2] not in ours and rule.value not in others_values]
    delete = [rule for key, rule in ours.items() if key not in needed]
    moved = {rule.value for rule in add} & {rule.value for rule in delete}
    return RuleChanges(tuple(add), tuple(delete), bool(moved) or len(there) + len(add) > most)


def topics_of_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Returns the topics whose rules a post matched, from the tags that came with it."""
    names = (tag.removeprefix(TAG) for tag in tags if tag.startswith(TAG))
    return tuple(dict.fromkeys(names))


def _terms(topic: Topic) -> list[str]:
    words = [*topic.keywords, *topic.phrases]
    terms = [_term(word) for word in words] + [_hashtag(tag) for tag in topic.hashtags]
    return list({term.lower(): term for term in terms if term}.values())


def _term(text: str) -> str:
    if text[:1] and text[0] in _HASHES:
        return _hashtag(text)
    if _ACCOUNT.fullmatch(text):
        return text
    if _PLAIN.fullmatch(text) and text.lower() not in _OPERATORS:
        return text
    inside = " ".join(re.sub(r'["\\]', " ", text).split())
    return f'"{inside}"' if inside else ""


def _hashtag(text: str) -> str:
    tag = text.lstrip(_HASHES)
    # What is no hashtag to X is looked for as words: the matcher tells more closely what it is.
    return f"#{tag}" if _HASHTAG.fullmatch(tag) else _term(tag)


def _languages(topic: Topic) -> str:
    if not topic.languages:
        return ""
    for code in topic.languages:
        if not _LANGUAGE.fullmatch(code):
            raise RuleError(f"topic {topic.name!r}: {code!r} is no language code such as en")
    codes = [_LANGUAGES_OF_X.get(code, code) for code in topic.languages]
    return "(" + " OR ".join(f"lang:{code}" for code in dict.fromkeys([*codes, "und"])) + ")"


def _characters(text: str) -> int:
    """In UTF-16, the longest of the ways to count: how X counts a rule is not documented."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
