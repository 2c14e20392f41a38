"""The dataset against a server in BigQuery's shape."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mltox.warehouse.schema import TABLES
from templates.provisioning.bigquery import DatasetGrants, Datasets
from templates.provisioning.change import Change
from templates.provisioning.errors import ProvisionError
from templates.provisioning.resources import Dataset, DatasetGrant
from tests.bigquery_server import Backend, Refused, serve

PROJECT = "some-project"
DATASET = Dataset(f"{PROJECT}.mltox", "europe-west1")
WRITER = DatasetGrant(DATASET.name, "WRITER", f"mltox-pipeline@{PROJECT}.x", "writes")
READER = DatasetGrant(DATASET.name, "READER", f"mltox-dashboard@{PROJECT}.x", "reads")


@pytest.fixture
def backend(monkeypatch: pytest.MonkeyPatch) -> Iterator[Backend]:
    with serve() as (address, backend):
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", address)
        yield backend


def test_dataset_tables_and_grants_are_made_once_and_removed_once(backend: Backend) -> None:
    datasets, grants = Datasets(PROJECT), DatasetGrants(PROJECT)
    assert [datasets.ensure(DATASET) for _ in range(2)] == [Change.MADE, Change.THERE]
    assert {name.rpartition(".")[2] for name in backend.schemas} == set(TABLES)
    made_by = {"role": "OWNER", "userByEmail": "somebody@else"}
    backend.datasets[PROJECT, "mltox"]["access"] = [made_by]
    made = [grants.ensure(each) for each in (WRITER, READER, READER)]
    assert made == [Change.MADE, Change.MADE, Change.THERE]
    access = backend.datasets[PROJECT, "mltox"]["access"]
    assert [entry["role"] for entry in access] == ["OWNER", "WRITER", "READER"]
    removed = [grants.remove(each) for each in (READER, READER)]
    assert removed == [Change.REMOVED, Change.ABSENT]
    assert [datasets.remove(DATASET) for _ in range(2)] == [Change.REMOVED, Change.ABSENT]
    assert grants.remove(WRITER) is Change.ABSENT
    assert not backend.schemas


def test_a_new_dataset_lies_in_the_region(backend: Backend) -> None:
    Datasets(PROJECT).ensure(DATASET)
    assert backend.datasets[PROJECT, "mltox"]["location"] == "europe-west1"


@pytest.mark.parametrize(
    ("where", "permission"),
    [
        ("POST /datasets", "bigquery.datasets.create"),
        ("GET /datasets/mltox", "bigquery.datasets.create"),
    ],
)
def test_a_missing_permission_is_one_line(backend: Backend, where: str, permission: str) -> None:
    backend.refuse[where] = Refused(403, "accessDenied", "Access Denied: Project some-project")
    with pytest.raises(ProvisionError) as caught:
        Datasets(PROJECT).ensure(DATASET)
    assert str(caught.value) == (
        f"dataset {DATASET.name}: permission {permission} is missing:"
        " Access Denied: Project some-project"
    )


def test_tables_that_may_not_be_made_are_one_line(backend: Backend) -> None:
    backend.refuse["POST /jobs"] = Refused(403, "accessDenied", "no bigquery.jobs.create")
    with pytest.raises(ProvisionError, match=f"bq://{DATASET.name}: no bigquery.jobs.create"):
        Datasets(PROJECT).ensure(DATASET)
