"""From a call to an answer, whether it came by itself or within a batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from mltox.scoring.scale.attributes import ATTRIBUTES
from mltox.scoring.scale.maps import MODEL_SCALE, ScoreMaps
from serving.contract import errors
from serving.contract.answers import SpanScores, analyze_answer, suggest_answer
from serving.contract.attributes import Attributes, AttributeVersion
from serving.contract.field_mask import parse_mask, select
from serving.contract.messages import ANALYZE_ANSWER, SUGGEST_ANSWER
from serving.contract.offsets import utf16_length, utf16_spans
from serving.contract.requests import AnalyzeRequest, analyze_request, suggest_request
from serving.engine import Engine, ScoredSentence, Scores, TextToScore, WorkDone, weigh
from serving.feedback import Keep
from serving.keys import Keys, given_key
from serving.metrics import Metrics
from serving.micro_batches import MicroBatches

ANALYZE_PATH = "/v1alpha1/comments:analyze"
SUGGEST_PATH = "/v1alpha1/comments:suggestscore"
NO_LANGUAGE = "und"
METHODS = {ANALYZE_PATH: "analyze", SUGGEST_PATH: "suggestscore"}
JSON_TYPE = "application/json; charset=UTF-8"


class Call(NamedTuple):
    """A request of one of `METHODS`. Names of headers are in lower case."""

    method: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


class Answer(NamedTuple):
    code: int
    body: bytes
    headers: Mapping[str, str] = {}


class Limits(NamedTuple):
    """What bounds the work of a server."""

    batch_wait: float = 0.005
    """Seconds that a comment waits, at most, for others to be scored with it."""
    batch_texts: int = 32
    """Short comments that a worker takes at once, or as much of longer ones."""
    waiting: int = 1_024
    """Comments that may wait; more are answered by 429."""
    workers: int = 1
    """Threads that score."""


DEFAULT_LIMITS = Limits()


class ContractService:
    """The methods of the contract over an engine. Belongs to one event loop."""

    def __init__(
        self,
        engine: Engine,
        scale: ScoreMaps | None = None,
        *,
        keys: Keys | None = None,
        keep: Keep,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.engine = engine
        self.keys = keys or Keys()
        self._keep = keep
        self._maps = scale.maps if scale else {}
        self._most_waiting = limits.waiting
        versions = {
            name: AttributeVersion(
                engine.sha256, self._maps[name].version if name in self._maps else MODEL_SCALE
            )
            for name in ATTRIBUTES
        }
        self.attributes = Attributes(engine.labels, versions)
        self.metrics = Metrics(
            engine.model,
            {name.lower(): str(versions[name]) for name in self.attributes.names},
            lambda: self.texts.waiting,
        )
        self.texts: MicroBatches[TextToScore, WorkDone] = MicroBatches(
            engine.work,
            wait=limits.batch_wait,
            at_most=limits.batch_texts,
            weigh=weigh,
            workers=limits.workers,
            observe=self.metrics.batch,
        )
        mapped = [name for name in self.attributes.names if name in self._maps]
        self.provenance = {
            "x-mltox-model": engine.model,
            "x-mltox-scale": ", ".join(f"{name}={self._maps[name].version}" for name in mapped)
            or MODEL_SCALE,
        }
        """Headers of each answer: the model, and the version of each map that was applied."""

    async def answer(self, call: Call, arrived: Callable[[], None] = lambda: None) -> Answer:
        """Never raises for what a client sent. `arrived` is told when the call has been read."""
        started = time.perf_counter()
        try:
            answer = await self._answer(call, arrived)
        except errors.Refusal as refusal:
            answer = refused(refusal)
            self.metrics.refused(
                str(
                    refusal.detail.get("errorType", refusal.detail.get("reason", "INVALID_PAYLOAD"))
                )
            )
        self.metrics.answered(call.method, answer.code, time.perf_counter() - started)
        return answer

    def check_room(self) -> None:
        """Raises Refusal where too much waits already."""
        if self.texts.waiting >= self._most_waiting:
            raise errors.too_many("waiting comments")

    def authorise(self, call: Call, *, needed: bool = True) -> None:
        """Raises Refusal."""
        self.keys.check(given_key(call.query, call.headers), needed=needed)

    async def _answer(self, call: Call, arrived: Callable[[], None]) -> Answer:
        self.authorise(call)
        if (kind := call.query.get("alt", "json")) != "json":
            raise errors.invalid_payload(f"alt={errors.quoted(kind)} is not supported, only json.")
        kinds = {"analyze": ANALYZE_ANSWER, "suggestscore": SUGGEST_ANSWER}
        fields = call.query.get("fields")
        mask = parse_mask(fields, kinds[call.method]) if fields else {}
        content = await (
            self._analyze(call.body, arrived)
            if call.method == "analyze"
            else self._suggest(call.body)
        )
        pretty = call.query.get("prettyPrint", "false") not in {"false", "0"}
        option = orjson.OPT_INDENT_2 if pretty else 0
        return Answer(200, orjson.dumps(select(content, mask), option=option), self.provenance)

    async def _analyze(self, body: bytes, arrived: Callable[[], None]) -> dict[str, Any]:
        request = analyze_request(body, self.attributes)
        language, detected = self._language(request)
        wanted = request.wanted if language is not None else ()
        if not wanted:
            return analyze_answer(request, (), {}, (), detected)
        assert language is not None
        submitted = self.texts.submit([TextToScore(request.text, language, request.spans)])
        arrived()
        [done] = await submitted
        if done.scores is None:
            raise errors.comment_empty()
        return analyze_answer(
            request,
            wanted,
            self._values(done.scores),
            self._spans(request, done.scores, done.spans),
            detected,
        )

    async def _suggest(self, body: bytes) -> dict[str, Any]:
        request = suggest_request(body)
        detected = self.engine.detect(request.text).ranked
        await self._keep(request.message)
        return suggest_answer(request, detected)

    def _language(self, request: AnalyzeRequest) -> tuple[str | None, Sequence[str]]:
        """The language to score in (None: none of the model's), and all that were detected."""
        found = self.engine.detect(request.text)
        if request.languages:
            lacking = [name for name in request.languages if not self.engine.supports(name)]
            if not lacking:
                return request.languages[0], found.ranked
        elif found.supported:
            return found.ranked[0], found.ranked
        elif not found.ranked:
            raise errors.no_language()
        else:
            lacking = [found.ranked[0]]
        if request.wanted and not request.drop_unsupported:
            raise errors.language_not_supported(
                request.wanted[0].attribute.asked,
                [name.strip() or NO_LANGUAGE for name in lacking],
                detected=not request.languages,
                known=request.languages or found.ranked,
            )
        return None, found.ranked

    def _values(self, scores: Scores) -> dict[str, float]:
        values: dict[str, float] = {}
        for name in self.attributes.names:
            probability: float = getattr(scores, ATTRIBUTES[name])
            mapped = self._maps.get(name)
            values[name] = mapped(probability) if mapped else probability
        return values

    def _spans(
        self, request: AnalyzeRequest, whole: Scores, spans: Sequence[ScoredSentence]
    ) -> list[SpanScores]:
        if not spans:
            return [SpanScores(0, utf16_length(request.text), self._values(whole))]
        units = utf16_spans(request.text, [(span.begin, span.end) for span in spans])
        return [
            SpanScores(begin, end, self._values(span.scores))
            for (begin, end), span in zip(units, spans, strict=True)
        ]


def refused(refusal: errors.Refusal) -> Answer:
    return Answer(refusal.code, orjson.dumps(refusal.body()), refusal.headers)
