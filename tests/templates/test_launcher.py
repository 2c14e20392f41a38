"""The program that a template's launcher starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mltox.posts.records import HOUR
from mltox.warehouse import open_warehouse
from templates.launcher import MODULES, main, with_defaults
from tests.bigquery_server import Backend
from tests.integration.pubsub import SUBSCRIPTION, emulated, need_emulator
from tests.mltox.warehouse.examples import MONDAY, hourly
from tests.templates.launches import IMAGE, cloud, launch, options_of

WAREHOUSE = "--warehouse=bq://some-project.mltox"


def test_workers_run_the_image_that_launched_them() -> None:
    assert "--sdk_container_image=i:1" in with_defaults([], "forecast", "i:1")
    named = ["--sdk_container_image=other:2"]
    assert with_defaults(named, "forecast", "i:1") == named
    assert with_defaults([], "forecast", None) == []


def test_the_templates_own_defaults_give_way() -> None:
    assert with_defaults(["--topic=t"], "streaming", None) == ["--threads=1", "--topic=t"]
    chosen = ["--threads=4"]
    assert with_defaults(chosen, "backfill", None) == chosen


@pytest.mark.parametrize("environment", [{}, {"MLTOX_PIPELINE": "os"}])
def test_an_image_without_its_pipeline_says_so(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([], environment) == 2
    assert "none of streaming, backfill, forecast" in capsys.readouterr().err


@pytest.mark.parametrize("pipeline", MODULES)
def test_a_parameter_that_nobody_knows_is_refused(
    pipeline: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--horizons=3"], {"MLTOX_PIPELINE": pipeline})
    assert ended.value.code == 2
    assert "unknown option: --horizons=3" in capsys.readouterr().err


def fill(backend: Backend, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", address)
    with open_warehouse("bq://some-project.mltox") as warehouse:
        warehouse.create()
        rows = [hourly(hour=MONDAY + number * HOUR) for number in range(48)]
        warehouse.upsert("hourly_toxicity", rows)


@pytest.mark.drill
def test_each_template_hands_in_its_job_and_does_not_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need_emulator()
    with cloud(tmp_path) as (environment, backend), emulated() as pubsub:
        fill(backend, monkeypatch, environment["BIGQUERY_EMULATOR_HOST"])
        environment["PUBSUB_EMULATOR_HOST"] = pubsub
        jobs: dict[str, dict[str, Any]] = {
            "streaming": launch(
                *("streaming", tmp_path, environment, WAREHOUSE),
                f"--input_subscription={SUBSCRIPTION}",
                "--enable_streaming_engine",
            ),
            "backfill": launch(
                *("backfill", tmp_path, environment, WAREHOUSE),
                "--input=gs://some-bucket/posts/*.jsonl",
            ),
            "forecast": launch("forecast", tmp_path, environment, WAREHOUSE),
        }
    kinds = {name: job["type"] for name, job in jobs.items()}
    assert kinds == {
        "streaming": "JOB_TYPE_STREAMING",
        "backfill": "JOB_TYPE_BATCH",
        "forecast": "JOB_TYPE_BATCH",
    }
    for job in jobs.values():
        options = options_of(job)
        assert options["sdk_container_image"] == IMAGE
        assert not options.get("save_main_session")
    assert options_of(jobs["streaming"])["threads"] == 1
