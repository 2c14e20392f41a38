"""Whether a dataset and its tables are there, as this version knows them, and may be used."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping

import requests
from google.api_core.exceptions import (
    GoogleAPICallError,
    MethodNotImplemented,
    NotFound,
    RetryError,
)
from google.auth.exceptions import GoogleAuthError
from google.cloud.bigquery import Client, QueryJobConfig, SchemaField
from google.cloud.bigquery.retry import DEFAULT_RETRY

from mltox.google.errors import no_credentials, reason_of
from mltox.warehouse.bigquery.warehouse import connect
from mltox.warehouse.location import BigQueryDataset
from mltox.warehouse.schema import TABLES, Column, Table, Type

PREFLIGHT_RETRY = DEFAULT_RETRY.with_timeout(20)
PREFLIGHT_SECONDS = 10.0
APPEND, READ = "bigquery.tables.updateData", "bigquery.tables.getData"
BIGQUERY_ROLES: Mapping[str, str] = {
    APPEND: "roles/bigquery.dataEditor",
    READ: "roles/bigquery.dataViewer",
}
_REST_NAMES: Mapping[str, str] = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}


def dataset_problems(
    dataset: BigQueryDataset,
    *,
    reads: tuple[str, ...] = (),
    writes: tuple[str, ...] = (),
    makes_tables: bool = False,
    queries: bool = False,
) -> Iterator[str]:
    """See `pipelines.preflight.Needs`. After the first question that nobody answers it gives up."""
    try:
        client = connect(dataset.project)
        if queries:
            yield from query_problems(client, dataset)
        there = yield from existence_problems(client, dataset, (*reads, *writes), makes_tables)
        for permission, tables in ((READ, reads), (APPEND, writes)):
            for table in filter(there.__contains__, tables):
                yield from missing_permissions(client, dataset, table, permission)
    except GoogleAuthError as error:
        yield f"bq://{dataset}: {no_credentials(error)}"
    except (GoogleAPICallError, RetryError, requests.RequestException) as error:
        yield f"bq://{dataset}: {reason_of(error)}"


def query_problems(client: Client, dataset: BigQueryDataset) -> Iterator[str]:
    """A dry run costs nothing and asks for the permission that a query asks for."""
    try:
        config = QueryJobConfig(dry_run=True, use_query_cache=False)
        client.query(
            "SELECT 1",
            job_config=config,
            retry=PREFLIGHT_RETRY,
            timeout=PREFLIGHT_SECONDS,
            job_retry=None,
        )
    except GoogleAPICallError as error:
        if error.code != 403:
            raise
        yield (
            f"project {dataset.project}: permission bigquery.jobs.create is missing"
            f" (roles/bigquery.jobUser): {reason_of(error)}"
        )


def existence_problems(
    client: Client, dataset: BigQueryDataset, tables: tuple[str, ...], makes_tables: bool
) -> Generator[str, None, set[str]]:
    """Yields problems and returns the tables that are there.

    A table that is missing is no problem where the run makes it; columns it does not add.
    """
    there: set[str] = set()
    provision = f"run: mltox provision --warehouse bq://{dataset}"
    try:
        client.get_dataset(str(dataset), retry=PREFLIGHT_RETRY, timeout=PREFLIGHT_SECONDS)
    except NotFound:
        if not makes_tables:
            yield f"bq://{dataset}: there is no such dataset; {provision}"
        return there
    for name in dict.fromkeys(tables):
        try:
            found = client.get_table(
                f"{dataset}.{name}", retry=PREFLIGHT_RETRY, timeout=PREFLIGHT_SECONDS
            )
        except NotFound:
            if not makes_tables:
                yield f"bq://{dataset}: there is no table {name}; {provision}"
        else:
            there.add(name)
            yield from column_problems(f"{dataset}.{name}", TABLES[name], found.schema)
    return there


def column_problems(name: str, table: Table, found: list[SchemaField]) -> Iterator[str]:
    """`name` is project.dataset.table."""
    there = {field.name: field for field in found}
    for column in table.columns:
        field = there.get(column.name)
        kind = column.type.value
        if field is None:
            yield (
                f"bq://{name} has no column {column.name}; run: bq query --nouse_legacy_sql"
                f" 'ALTER TABLE `{name}` ADD COLUMN {column.name} {kind}'"
            )
        elif not fits(column, field):
            repeated = "ARRAY of " if field.mode == "REPEATED" else ""
            yield (
                f"bq://{name}: column {column.name} is {repeated}{field.field_type}, not {kind};"
                " give another dataset"
            )


def fits(column: Column, field: SchemaField) -> bool:
    kind = _REST_NAMES.get(field.field_type, field.field_type)
    if column.type is Type.STRINGS:
        return field.mode == "REPEATED" and kind == "STRING"
    return field.mode != "REPEATED" and kind == column.type.value


def missing_permissions(
    client: Client, dataset: BigQueryDataset, table: str, permission: str
) -> Iterator[str]:
    try:
        answer = client.test_iam_permissions(
            f"{dataset}.{table}", [permission], retry=PREFLIGHT_RETRY, timeout=PREFLIGHT_SECONDS
        )
    except (MethodNotImplemented, NotFound):
        return  # an emulator that does not know the question: nobody knows
    if permission not in answer.get("permissions", ()):
        role = BIGQUERY_ROLES[permission]
        yield f"bq://{dataset}.{table}: permission {permission} is missing ({role})"
