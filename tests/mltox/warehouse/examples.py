"""Records with ordinary values, of which a test changes what it is about."""

from __future__ import annotations

from typing import Any

from mltox.posts.records import (
    HOUR,
    SECOND,
    Anomaly,
    DeadLetter,
    Forecast,
    ForecastAccuracy,
    ForgottenPost,
    HourlyToxicity,
    JudgedSpan,
    Micros,
    ScoredPost,
    TextScore,
)

MONDAY: Micros = 1_451_865_600 * SECOND
"""2016-01-04 00:00 UTC."""


def scored_post(**changes: Any) -> ScoredPost:
    return ScoredPost(
        topic="politics",
        post_id="x:1",
        source="x",
        author_key="a1",
        text="a text",
        text_sha256="11",
        lang="en",
        created_at=MONDAY,
        ingested_at=MONDAY + SECOND,
        scored_at=MONDAY + 2 * SECOND,
        model="default@0123",
        model_sha256="0123",
        toxicity=0.25,
        severe_toxicity=None,
        obscene=0.5,
        threat=None,
        insult=None,
        identity_attack=None,
        sexual_explicit=None,
    )._replace(**changes)


def hourly(**changes: Any) -> HourlyToxicity:
    return HourlyToxicity(
        topic="politics",
        hour=MONDAY,
        model="default@0123",
        posts=10,
        posts_unscored=0,
        authors=5,
        mean_toxicity=0.2,
        toxic_share=0.1,
        p90_toxicity=0.6,
        mean_severe_toxicity=None,
        mean_obscene=0.4,
        mean_threat=None,
        mean_insult=None,
        mean_identity_attack=None,
        mean_sexual_explicit=None,
        revision=1,
        is_final=True,
        updated_at=MONDAY + HOUR,
    )._replace(**changes)


def anomaly(**changes: Any) -> Anomaly:
    return Anomaly(
        topic="politics",
        hour=MONDAY,
        metric="mean_toxicity",
        observed=0.9,
        expected=0.2,
        lower=0.1,
        upper=0.3,
        score=7.0,
        severity="high",
        direction="up",
        detector="seasonal",
        status="open",
        terms=("debate", "wall"),
        example_post_ids=("x:1",),
        explained_share=None,
        updated_at=MONDAY + HOUR,
    )._replace(**changes)


def forecast(**changes: Any) -> Forecast:
    return Forecast(
        topic="politics",
        metric="posts",
        run_at=MONDAY,
        hour=MONDAY,
        expected=5.0,
        lower_80=4.0,
        upper_80=6.0,
        lower_95=3.0,
        upper_95=7.0,
        method="prophet",
        p_anomaly=None,
    )._replace(**changes)


def accuracy(**changes: Any) -> ForecastAccuracy:
    return ForecastAccuracy(
        topic="politics",
        metric="posts",
        run_at=MONDAY,
        method="prophet",
        horizon_hours=168,
        mase=0.9,
        smape=0.2,
        pinball=0.1,
        coverage_80=0.8,
        coverage_95=None,
        chosen=True,
    )._replace(**changes)


def dead_letter(**changes: Any) -> DeadLetter:
    return DeadLetter(
        letter_id="l1",
        stage="parse",
        error_type="malformed_json",
        message="no JSON",
        payload="{",
        post_id=None,
        seen_at=MONDAY,
    )._replace(**changes)


def text_score(**changes: Any) -> TextScore:
    return TextScore(
        text_sha256="11",
        model_sha256="0123",
        toxicity=0.25,
        severe_toxicity=None,
        obscene=0.5,
        threat=None,
        insult=None,
        identity_attack=None,
        sexual_explicit=None,
    )._replace(**changes)


def forgotten_post(**changes: Any) -> ForgottenPost:
    return ForgottenPost(post_id="x:1", held=False, forgotten_at=MONDAY)._replace(**changes)


def judged_span(**changes: Any) -> JudgedSpan:
    return JudgedSpan(
        topic="politics",
        detector="retrospective",
        start_at=MONDAY,
        end_at=MONDAY + HOUR,
        hours_judged=1,
        updated_at=MONDAY,
    )._replace(**changes)


EXAMPLES = {
    "scored_posts": scored_post,
    "hourly_toxicity": hourly,
    "anomalies": anomaly,
    "forecasts": forecast,
    "forecast_accuracy": accuracy,
    "dead_letters": dead_letter,
    "text_scores": text_score,
    "forgotten_posts": forgotten_post,
    "judged_spans": judged_span,
}
