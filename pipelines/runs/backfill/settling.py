"""The posts of a slice, each in the version that stays, beside those that the warehouse holds."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import orjson

from mltox.posts.records import HOUR, Message, Micros
from mltox.posts.versions import PostVersion, VersionVerdict, has_sound_id, id_apart, settle
from mltox.warehouse import Warehouse
from pipelines.runs.backfill.spool import Slice, Spool, read_messages
from pipelines.runs.backfill.version_index import VersionVerdicts, id_hash, version_of

ASKED_AT_ONCE = 10_000


class LeftHour(NamedTuple):
    """An hour of a topic that a post has left: it is rolled up again."""

    topic: str
    hour: Micros


class _Stored(NamedTuple):
    topic: str
    version: PostVersion


@dataclass
class Settling:
    """`counts`: `superseded` rows, rows that are kept `apart`, and posts that have `moved` to
    another hour than the warehouse had them in. `left` are the hours that they left."""

    warehouse: Warehouse
    spool: Spool
    verdicts: VersionVerdicts
    warehouse_has_posts: bool
    counts: Counter[str] = field(default_factory=Counter)
    left: set[LeftHour] = field(default_factory=set)

    def settle(self, part: Slice) -> Slice:
        """The slice without the versions that do not stay. Raises WarehouseError."""
        if part.start is None or not (self.verdicts or self.warehouse_has_posts):
            return part
        stored = self._stored(part) if self.warehouse_has_posts else {}
        if not (self.verdicts or stored):
            return part
        superseded = 0
        for file in part.files:
            before = self.counts["superseded"]
            changed = self.counts["apart"] + before
            messages = list(self._settled(read_messages(file, self.spool.key), stored))
            if self.counts["apart"] + self.counts["superseded"] > changed:
                self.spool.replace(file, messages)
            superseded += self.counts["superseded"] - before
        return replace(part, messages=part.messages - superseded)

    def _settled(
        self, messages: Iterable[Message], stored: dict[str, list[_Stored]]
    ) -> Iterator[Message]:
        for message in messages:
            post = orjson.loads(message.payload)
            post_id = post["post_id"]
            version = version_of(post["text"], post["created_at"])
            verdict = self._verdict(post_id, version, stored.get(post_id, ()))
            if verdict is VersionVerdict.SUPERSEDED:
                self.counts["superseded"] += 1
                continue
            if verdict is VersionVerdict.APART:
                self.counts["apart"] += 1
                post["post_id"] = id_apart(post_id, version)
                yield message._replace(payload=orjson.dumps(post))
                continue
            self._note_moved(version, stored.get(post_id, ()))
            yield message

    def _verdict(
        self, post_id: str, version: PostVersion, held: Sequence[_Stored]
    ) -> VersionVerdict:
        in_run = self.verdicts.get(id_hash(post_id), {}) if self.verdicts else {}
        verdict = in_run.get(version, VersionVerdict.KEPT)
        if held and verdict is not VersionVerdict.SUPERSEDED and not has_sound_id(post_id):
            texts_known = all(each.version.text for each in held)
            if texts_known:
                known = {each.version for each in held}
                return settle([version], sound_id=False, stored=known)[version]
        return verdict

    def _note_moved(self, version: PostVersion, held: Sequence[_Stored]) -> None:
        hour = version.created_at - version.created_at % HOUR
        for each in held:
            before = each.version.created_at - each.version.created_at % HOUR
            if before != hour:
                self.counts["moved"] += 1
                self.left.add(LeftHour(each.topic, before))

    def _stored(self, part: Slice) -> dict[str, list[_Stored]]:
        """What the warehouse holds of the slice's posts, in whatever hour."""
        found: dict[str, list[_Stored]] = defaultdict(list)
        asked: set[str] = set()
        for file in part.files:
            for message in read_messages(file, self.spool.key):
                asked.add(orjson.loads(message.payload)["post_id"])
                if len(asked) >= ASKED_AT_ONCE:
                    self._ask(asked, found)
                    asked = set()
        if asked:
            self._ask(asked, found)
        return found

    def _ask(self, post_ids: set[str], found: dict[str, list[_Stored]]) -> None:
        warehouse = self.warehouse
        sql = (
            "SELECT topic, post_id, created_at, text_sha256"  # noqa: S608 - names of ours
            f" FROM {warehouse.relation('latest_scored_posts')}"
            f" WHERE {warehouse.one_of('post_id')}"
        )
        rows: list[dict[str, Any]] = warehouse.query(sql, [sorted(post_ids)]).to_pylist()
        for row in rows:
            micros = round(row["created_at"].timestamp() * 1_000_000)
            version = PostVersion(micros, row["text_sha256"][:16])
            found[row["post_id"]].append(_Stored(row["topic"], version))
