"""What is told before a run, against a server in BigQuery's shape. Pub/Sub: tests/integration."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from google.auth.exceptions import DefaultCredentialsError

from commands.cli import main
from mltox.scoring import DEFAULT_BUNDLE
from mltox.warehouse import open_warehouse, schema
from mltox.warehouse.location import BigQueryDataset
from pipelines.preflight import Needs, PreflightError, check, problems_of
from pipelines.preflight import bigquery as asked
from tests.bigquery_server import Backend, Refused, serve

DATASET = BigQueryDataset("some-project", "mltox")
URI = f"bq://{DATASET}"
NEEDS = Needs(dataset=DATASET, reads=("hourly_toxicity",), writes=("scored_posts", "dead_letters"))
TABLES = "/projects/some-project/datasets/mltox/tables"


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    with serve() as (address, backend):
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", address)
        monkeypatch.setenv("NO_GCE_CHECK", "true")
        yield backend


@pytest.fixture
def provisioned(backend: Backend) -> Backend:
    with open_warehouse(URI) as warehouse:
        warehouse.create()
    backend.requests.clear()
    return backend


def change(backend: Backend, table: str, field: Callable[[dict[str, Any]], dict | None]) -> None:
    """Makes the server's table look otherwise: `field` returns None to leave a column out."""
    name = f"{DATASET}.{table}"
    backend.schemas[name] = [new for old in backend.schemas[name] if (new := field(old))]


@pytest.mark.usefixtures("provisioned")
def test_where_all_is_there_nothing_is_told() -> None:
    check(replace(NEEDS, queries=True, bundle=str(DEFAULT_BUNDLE)))


def test_looking_changes_nothing(provisioned: Backend) -> None:
    check(replace(NEEDS, queries=True))
    posts = [line for line in provisioned.requests if line.startswith("POST")]
    assert all(line.endswith((":testIamPermissions", "/jobs")) for line in posts)
    assert not provisioned.inserts


@pytest.mark.usefixtures("backend")
def test_no_dataset_names_the_command_that_makes_it(capsys: pytest.CaptureFixture[str]) -> None:
    (problem,) = problems_of(NEEDS)
    assert problem == (f"{URI}: there is no such dataset; run: mltox provision --warehouse {URI}")
    assert main(["provision", "--warehouse", URI]) == 0
    assert f"{len(schema.TABLES)} tables" in capsys.readouterr().out
    check(NEEDS)


def test_a_missing_table_is_told_by_a_stream_and_not_by_a_run_that_makes_it(
    provisioned: Backend,
) -> None:
    del provisioned.schemas[f"{DATASET}.dead_letters"]
    assert list(problems_of(NEEDS)) == [
        f"{URI}: there is no table dead_letters; run: mltox provision --warehouse {URI}"
    ]
    check(replace(NEEDS, makes_tables=True))


def test_a_missing_column_comes_with_the_statement_that_adds_it(provisioned: Backend) -> None:
    change(provisioned, "scored_posts", lambda old: None if old["name"] == "threat" else old)
    assert list(problems_of(replace(NEEDS, makes_tables=True))) == [
        f"bq://{DATASET}.scored_posts has no column threat; run: bq query --nouse_legacy_sql"
        f" 'ALTER TABLE `{DATASET}.scored_posts` ADD COLUMN threat FLOAT64'"
    ]


@pytest.mark.parametrize("changed", [{"type": "STRING"}, {"mode": "REPEATED"}])
def test_a_column_of_another_type_is_told(provisioned: Backend, changed: dict[str, str]) -> None:
    change(
        provisioned,
        "hourly_toxicity",
        lambda old: old | changed if old["name"] == "p90_toxicity" else old,
    )
    (problem,) = problems_of(NEEDS)
    assert problem.startswith(f"bq://{DATASET}.hourly_toxicity: column p90_toxicity is ")
    assert "not FLOAT64" in problem


def test_permissions_are_asked_of_each_table(provisioned: Backend) -> None:
    provisioned.denied = {asked.APPEND}
    assert list(problems_of(NEEDS)) == [
        f"bq://{DATASET}.{table}: permission bigquery.tables.updateData is missing"
        " (roles/bigquery.dataEditor)"
        for table in NEEDS.writes
    ]
    provisioned.denied = {asked.READ}
    (problem,) = problems_of(NEEDS)
    assert problem.startswith(f"bq://{DATASET}.hourly_toxicity: permission bigquery.tables.getData")


def test_a_service_that_cannot_tell_permissions_is_no_problem(provisioned: Backend) -> None:
    unknown = Refused(501, "notImplemented", "not here")
    provisioned.refuse = {"POST :testIamPermissions": unknown}
    check(NEEDS)


def test_no_permission_to_query(provisioned: Backend) -> None:
    denied = "Access Denied: User does not have bigquery.jobs.create permission\nmore"
    provisioned.refuse = {"POST /jobs": Refused(403, "accessDenied", denied)}
    (problem,) = problems_of(replace(NEEDS, queries=True))
    assert problem == (
        "project some-project: permission bigquery.jobs.create is missing"
        f" (roles/bigquery.jobUser): {denied.splitlines()[0]}"
    )
    check(NEEDS)  # a stream runs no query


def test_what_the_service_says_is_one_line(provisioned: Backend) -> None:
    said = "Access Denied: Permission bigquery.datasets.get denied on dataset some-project:mltox"
    provisioned.refuse = {"GET /datasets/mltox": Refused(403, "accessDenied", said + "\nmore")}
    assert list(problems_of(NEEDS)) == [f"{URI}: {said}"]


def test_a_short_outage_is_waited_for(provisioned: Backend) -> None:
    provisioned.fail_next = [Refused(503, "backendError", "later")]
    check(NEEDS)
    assert not provisioned.fail_next


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:9")
    monkeypatch.setattr(asked, "PREFLIGHT_RETRY", asked.PREFLIGHT_RETRY.with_timeout(0.1))
    (problem,) = problems_of(replace(NEEDS, queries=True))
    assert problem.startswith(f"{URI}: can't be reached: ") and "\n" not in problem


def test_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    def default(*_: object, **__: object) -> None:
        raise DefaultCredentialsError("Your default credentials were not found.\nmore")

    monkeypatch.delenv("BIGQUERY_EMULATOR_HOST", raising=False)
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST", raising=False)
    monkeypatch.setattr("google.auth.default", default)
    found = list(problems_of(replace(NEEDS, subscription="projects/p/subscriptions/s")))
    assert [problem.partition(":")[0] for problem in found] == ["projects/p/subscriptions/s", "bq"]
    assert all("run: gcloud auth application-default login" in problem for problem in found)
    assert not any("\n" in problem for problem in found)


def test_all_problems_are_told_and_no_graph_is_built(
    backend: Backend, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    backend.refuse = {"POST /jobs": Refused(403, "accessDenied", "no")}
    (tmp_path / "posts.csv").write_text("id,text\n1,hello\n", encoding="utf-8")
    arguments = ["--input", str(tmp_path / "posts.csv"), "--warehouse", URI]
    assert main(["backfill", *arguments, "--bundle", str(tmp_path / "nowhere")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "mltox: 2 problems:"
    assert lines[1].startswith("  project some-project: permission bigquery.jobs.create")
    assert lines[2].startswith("  no model bundle at ") and len(lines) == 3
    assert not any(line.endswith("/datasets") for line in backend.requests)


def test_a_forecast_looks_as_well(provisioned: Backend, capsys: pytest.CaptureFixture[str]) -> None:
    change(provisioned, "forecasts", lambda old: None if old["name"] == "p_anomaly" else old)
    assert main(["forecast", "--warehouse", URI]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"mltox: bq://{DATASET}.forecasts has no column p_anomaly; run: ")


def test_a_path_that_is_none_is_told_without_asking() -> None:
    needs = Needs(
        subscription="posts", deletions="gone", topics=("projects/p/subscriptions/s", None)
    )
    assert list(problems_of(needs)) == [
        "posts: a subscription is written projects/PROJECT/subscriptions/NAME",
        "gone: a subscription is written projects/PROJECT/subscriptions/NAME",
        "projects/p/subscriptions/s: a topic is written projects/PROJECT/topics/NAME",
    ]


class Bucket(SimpleHTTPRequestHandler):
    """Cloud Storage's download path over a folder."""

    def translate_path(self, path: str) -> str:
        name = unquote(urlsplit(path).path).rpartition("/b/models/o/")[2]
        return str(Path(self.directory) / name)

    def log_message(self, format: str, *args: Any) -> None:
        """Tests print enough."""


def test_a_bundle_on_cloud_storage_is_fetched_and_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(DEFAULT_BUNDLE, tmp_path / "v1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Bucket, directory=str(tmp_path)))
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "some-project")
    try:
        check(Needs(bundle="gs://models/v1"))
        shutil.copytree(DEFAULT_BUNDLE, tmp_path / "v2")
        with (tmp_path / "v2" / "model.onnx").open("ab") as model:
            model.write(b"x")
        with pytest.raises(
            PreflightError, match=r"model\.onnx of the bundle gs://models/v2 is not"
        ):
            check(Needs(bundle="gs://models/v2"))
        with pytest.raises(PreflightError, match="cannot fetch the bundle gs://models/v3: 404"):
            check(Needs(bundle="gs://models/v3"))
    finally:
        server.shutdown()
        server.server_close()
