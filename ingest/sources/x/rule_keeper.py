"""Keeps the rules of X's filtered stream as the topics are."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import partial
from typing import Any

import orjson
import tweepy

from ingest.sources.handover import Handover
from ingest.sources.source import CurrentTopics, SourceError
from ingest.sources.x.calls import Wait, ask
from ingest.sources.x.client import Obj, XClient
from ingest.sources.x.errors import XError, printable_line
from ingest.sources.x.rules import Rule, RuleError, difference, rules
from mltox.posts.topics import Topic

log = logging.getLogger(__name__)

_THERE_ALREADY = "DuplicateRule"


class RuleKeeper:
    """Rules belong to the app of a token: only one run of an app can keep them."""

    def __init__(
        self,
        client: XClient,
        topics: CurrentTopics,
        rule_length: int,
        max_rules: int,
        rest: Wait = Handover.rest,
    ) -> None:
        self._client = client
        self._topics = topics
        self._rule_length = rule_length
        self._max_rules = max_rules
        self._rest = rest
        self._seen: tuple[Topic, ...] | None = None
        self.topics: tuple[Topic, ...] = ()
        """Those whose rules are at X."""

    def follow(self, hand: Handover) -> None:
        """Changes the rules if the topics have changed since they were looked at."""
        if tuple(self._topics()) != self._seen:
            self.keep(hand)

    def keep(self, hand: Handover) -> None:
        """Makes the rules at X those of the topics.

        Raises SourceError at the first time. Later what X does not take of an edit is logged, and
        the rules stay as they are: the stream goes on.
        """
        first, topics = self._seen is None, tuple(self._topics())
        try:
            self._change(topics, hand)
            self.topics = topics
        except SourceError as error:
            if first:
                raise
            log.error("the rules at X stay as they were: %s", error)
        self._seen = topics

    def _change(self, topics: tuple[Topic, ...], hand: Handover) -> None:
        there = list(_rules_of(ask(self._client.rules, hand, self._rest)))
        try:
            wanted = rules(topics, self._rule_length)
            change = difference(there, wanted, self._max_rules)
        except RuleError as error:
            raise SourceError(str(error)) from None
        steps = [partial(self._add, change.add, hand), partial(self._delete, change.delete, hand)]
        for step in reversed(steps) if change.delete_first else steps:
            step()
        if change.add or change.delete:
            log.info("rules at X: %d added, %d deleted", len(change.add), len(change.delete))

    def _add(self, new: tuple[Rule, ...], hand: Handover) -> None:
        if new:
            sent = [tweepy.StreamRule(rule.value, rule.tag) for rule in new]
            _check(ask(partial(self._client.add_rules, sent), hand, self._rest))

    def _delete(self, old: tuple[Rule, ...], hand: Handover) -> None:
        if old:
            ids = [rule.id for rule in old]
            _check(ask(partial(self._client.delete_rules, ids), hand, self._rest))


def _rules_of(answer: Obj) -> Iterable[Rule]:
    for each in _objects(answer.get("data")):
        yield Rule(str(each.get("value")), str(each.get("tag") or ""), str(each.get("id")))


def _check(answer: Obj) -> None:
    """X takes the rules that it can, and names the others."""
    for error in _objects(answer.get("errors")):
        if error.get("title") != _THERE_ALREADY:
            why = XError.of(200, {}, orjson.dumps({"errors": [error]}))
            rule = printable_line(error.get("value"))
            raise SourceError(f"X does not take the rule {rule}: {why.title}, {why.detail}")


def _objects(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
