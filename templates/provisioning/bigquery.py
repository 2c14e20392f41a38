"""The dataset with its tables and views. BIGQUERY_EMULATOR_HOST is honoured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests
from google.api_core.exceptions import Conflict, Forbidden, GoogleAPICallError, NotFound, RetryError
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery
from google.cloud.bigquery.retry import DEFAULT_RETRY

from mltox.google.errors import no_credentials, reason_of
from mltox.warehouse import WarehouseError, open_warehouse
from mltox.warehouse.bigquery.warehouse import connect
from templates.provisioning.change import Change
from templates.provisioning.errors import ProvisionError, missing
from templates.provisioning.resources import Dataset, DatasetGrant

TABLE_RETRY = DEFAULT_RETRY.with_timeout(60)


@contextmanager
def bigquery_errors(name: str, permission: str) -> Iterator[None]:
    try:
        yield
    except NotFound:
        raise
    except GoogleAuthError as error:
        raise ProvisionError(no_credentials(error)) from error
    except Forbidden as error:
        raise missing(f"dataset {name}", permission, reason_of(error)) from error
    except WarehouseError as error:
        raise ProvisionError(str(error)) from error
    except (GoogleAPICallError, RetryError, requests.RequestException) as error:
        raise ProvisionError(f"dataset {name}: {reason_of(error)}") from error


class Datasets:
    def __init__(self, project: str) -> None:
        self._project = project

    def ensure(self, dataset: Dataset) -> Change:
        """Tables that are there keep their rows; the views are written anew."""
        change = self._make(dataset)
        uri = f"bq://{dataset.name}"
        with (
            bigquery_errors(dataset.name, "bigquery.tables.create"),
            open_warehouse(uri) as warehouse,
        ):
            warehouse.create()
        return change

    def _make(self, dataset: Dataset) -> Change:
        with bigquery_errors(dataset.name, "bigquery.datasets.create"):
            client = connect(self._project)
            try:
                client.get_dataset(dataset.name, retry=TABLE_RETRY)
            except NotFound:
                wanted = bigquery.Dataset(dataset.name)
                wanted.location = dataset.location
                wanted.description = "Toxicity of public conversations, by mltox"
                try:
                    client.create_dataset(wanted, retry=TABLE_RETRY)
                except Conflict:
                    return Change.THERE
                return Change.MADE
            return Change.THERE

    def remove(self, dataset: Dataset) -> Change:
        """With its tables and all their rows."""
        try:
            with bigquery_errors(dataset.name, "bigquery.datasets.delete"):
                client = connect(self._project)
                client.delete_dataset(dataset.name, delete_contents=True, retry=TABLE_RETRY)
        except NotFound:
            return Change.ABSENT
        return Change.REMOVED


class DatasetGrants:
    def __init__(self, project: str) -> None:
        self._project = project

    def ensure(self, grant: DatasetGrant) -> Change:
        return self._set(grant, wanted=True)

    def remove(self, grant: DatasetGrant) -> Change:
        try:
            return self._set(grant, wanted=False)
        except NotFound:
            return Change.ABSENT

    def _set(self, grant: DatasetGrant, *, wanted: bool) -> Change:
        with bigquery_errors(grant.dataset, "bigquery.datasets.update"):
            client = connect(self._project)
            dataset = client.get_dataset(grant.dataset, retry=TABLE_RETRY)
            entry = bigquery.AccessEntry(grant.role, "userByEmail", grant.email)
            there = entry in dataset.access_entries
            if there == wanted:
                return Change.THERE if wanted else Change.ABSENT
            others = [each for each in dataset.access_entries if each != entry]
            dataset.access_entries = [*others, entry] if wanted else others
            client.update_dataset(dataset, ["access_entries"], retry=TABLE_RETRY)
            return Change.MADE if wanted else Change.REMOVED
