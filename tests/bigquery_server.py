"""A local HTTP server in the shape of BigQuery's REST API, with DuckDB behind it. A test tool.

It serves what google-cloud-bigquery and Beam's WriteToBigQuery ask for here, and refuses what
BigQuery refuses of a streamed row: unknown fields, wrong types, NULL in a required column, rows
and requests over 10 MB. `fail_next` queues errors to answer instead, `refuse` holds those that are
answered always, `denied` the permissions that nobody has. A row that was streamed in lies in the
streaming buffer until `flush`, and a statement that would change it fails.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import duckdb
import sqlglot
from sqlglot import exp

MAX_BYTES = 10_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Json = dict[str, Any]


class Refused(Exception):
    """An answer with an error: HTTP status, BigQuery's reason, message.

    With `done` what was asked is done all the same, as where only the answer got lost.
    """

    def __init__(self, status: int, reason: str, message: str, *, done: bool = False) -> None:
        super().__init__(message)
        self.status, self.reason, self.done = status, reason, done

    def body(self) -> Json:
        error = {"reason": self.reason, "message": str(self)}
        return {"error": {"code": self.status, "message": str(self), "errors": [error]}}


def _is_stamp(value: Any) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


TYPES: Mapping[str, Callable[[Any], bool]] = {
    "STRING": lambda value: isinstance(value, str),
    "INTEGER": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "FLOAT": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "BOOLEAN": lambda value: isinstance(value, bool),
    "TIMESTAMP": _is_stamp,
}
REST_TYPES = {"TEXT": "STRING", "BIGINT": "INTEGER", "DOUBLE": "FLOAT", "TIMESTAMPTZ": "TIMESTAMP"}
DUCKDB_TYPES = {
    "VARCHAR": "STRING",
    "BIGINT": "INTEGER",
    "INTEGER": "INTEGER",
    "DOUBLE": "FLOAT",
    "BOOLEAN": "BOOLEAN",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMP",
    "DATE": "DATE",
}


def schema_of(create: exp.Create) -> list[Json]:
    """The REST schema that a CREATE TABLE statement declares."""
    fields = []
    for column in create.this.expressions:
        kind = column.args["kind"]
        repeated = kind.this == exp.DataType.Type.ARRAY
        name = (kind.expressions[0] if repeated else kind).this.value
        required = any(isinstance(c.kind, exp.NotNullColumnConstraint) for c in column.constraints)
        fields.append(
            {
                "name": column.name,
                "type": REST_TYPES.get(name, name),
                "mode": "REPEATED" if repeated else "REQUIRED" if required else "NULLABLE",
            }
        )
    return fields


def row_errors(schema: list[Json], row: Json) -> list[Json]:
    """What BigQuery would say of a streamed row."""

    def invalid(location: str, message: str) -> Json:
        return {"reason": "invalid", "location": location, "message": message}

    known = {column["name"]: column for column in schema}
    errors = [invalid(name, f"no such field: {name}.") for name in row if name not in known]
    for name, column in known.items():
        value = row.get(name)
        values = value if column["mode"] == "REPEATED" and value is not None else [value]
        if value is None:
            if column["mode"] == "REQUIRED":
                errors.append(invalid(name, f"Missing required field: {name}."))
        elif not isinstance(values, list) or not all(map(TYPES[column["type"]], values)):
            errors.append(invalid(name, f"Cannot convert value to {column['type']}: {name}."))
    if len(json.dumps(row)) > MAX_BYTES:
        errors.append(invalid("", "Row size is larger than 10 MB."))
    return errors


def _cell(value: Any) -> Json:
    if isinstance(value, list):
        return {"v": [_cell(item) for item in value]}
    if isinstance(value, bool):
        return {"v": str(value).lower()}
    if isinstance(value, datetime):
        delta = value - EPOCH
        return {"v": str((delta.days * 86400 + delta.seconds) * 1_000_000 + delta.microseconds)}
    if isinstance(value, date):
        return {"v": value.isoformat()}
    return {"v": None if value is None else str(value)}


@dataclass
class Backend:
    """Projects, datasets and tables, and what was asked. A project is a DuckDB catalog."""

    connection: duckdb.DuckDBPyConnection = field(default_factory=duckdb.connect)
    schemas: dict[str, list[Json]] = field(default_factory=dict)
    datasets: dict[tuple[str, str], Json] = field(default_factory=dict)
    """As they were made or changed, by project and name."""
    results: dict[str, Json] = field(default_factory=dict)
    insert_ids: set[tuple[str, str]] = field(default_factory=set)
    requests: list[str] = field(default_factory=list)
    inserts: list[list[str]] = field(default_factory=list)
    """The insert ids of each insertAll request that was not refused as a whole."""
    fail_next: list[Refused] = field(default_factory=list)
    refuse: dict[str, Refused] = field(default_factory=dict)
    """By method and end of the path, as in `requests`."""
    denied: set[str] = field(default_factory=set)
    buffered: dict[str, set[int]] = field(default_factory=dict)
    """Row ids by table."""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.connection.execute("SET TimeZone = 'UTC'")

    def create_dataset(self, project: str, body: Json) -> Json:
        dataset = body["datasetReference"]["datasetId"]
        self.connection.execute(f"ATTACH IF NOT EXISTS ':memory:' AS \"{project}\"")
        if self._has_dataset(project, dataset):
            raise Refused(409, "duplicate", f"Already Exists: Dataset {project}:{dataset}")
        self.connection.execute(f'CREATE SCHEMA "{project}"."{dataset}"')
        self.datasets[project, dataset] = {"access": [], **body}
        return body

    def _has_dataset(self, project: str, dataset: str) -> bool:
        sql = "SELECT 1 FROM duckdb_schemas() WHERE database_name = ? AND schema_name = ?"
        return bool(self.connection.execute(sql, [project, dataset]).fetchall())

    def get_dataset(self, project: str, dataset: str) -> Json:
        if not self._has_dataset(project, dataset):
            raise Refused(404, "notFound", f"Not found: Dataset {project}:{dataset}")
        return self.datasets[project, dataset]

    def patch_dataset(self, project: str, dataset: str, body: Json) -> Json:
        self.get_dataset(project, dataset)
        self.datasets[project, dataset] |= body
        return self.datasets[project, dataset]

    def delete_dataset(self, project: str, dataset: str) -> Json:
        self.get_dataset(project, dataset)
        self.connection.execute(f'DROP SCHEMA "{project}"."{dataset}" CASCADE')
        prefix = f"{project}.{dataset}."
        self.schemas = {k: v for k, v in self.schemas.items() if not k.startswith(prefix)}
        del self.datasets[project, dataset]
        return {}

    def get_table(self, project: str, dataset: str, table: str) -> Json:
        name = f"{project}.{dataset}.{table}"
        if name not in self.schemas:
            raise Refused(404, "notFound", f"Not found: Table {project}:{dataset}.{table}")
        reference = {"projectId": project, "datasetId": dataset, "tableId": table}
        return {
            "tableReference": reference,
            "schema": {"fields": self.schemas[name]},
            "type": "TABLE",
            "location": "US",
        }

    def insert_all(self, project: str, dataset: str, table: str, body: Json) -> Json:
        schema = self.get_table(project, dataset, table)["schema"]["fields"]
        name = f"{project}.{dataset}.{table}"
        self.inserts.append([row.get("insertId", "") for row in body["rows"]])
        errors = {i: row_errors(schema, row["json"]) for i, row in enumerate(body["rows"])}
        errors = {index: found for index, found in errors.items() if found}
        if errors and not body.get("skipInvalidRows"):
            stopped = [{"reason": "stopped", "location": "", "message": ""}]
            errors = {index: errors.get(index, stopped) for index in range(len(body["rows"]))}
        for index, row in enumerate(body["rows"]):
            key = (name, row.get("insertId", ""))
            if index in errors or (key[1] and key in self.insert_ids):
                continue
            self.insert_ids.add(key)
            values = [row["json"].get(column["name"]) for column in schema]
            names = ", ".join(f'"{column["name"]}"' for column in schema)
            marks = ", ".join("?" for _ in values)
            target = ".".join(f'"{part}"' for part in (project, dataset, table))
            sql = f"INSERT INTO {target} ({names}) VALUES ({marks})"  # noqa: S608
            self.connection.execute(sql, values)
            [(last,)] = self.connection.execute(f"SELECT max(rowid) FROM {target}").fetchall()  # noqa: S608
            self.buffered.setdefault(table, set()).add(last)
        failed = [{"index": index, "errors": found} for index, found in errors.items()]
        return {"insertErrors": failed} if failed else {}

    def flush(self) -> None:
        """Some time passes: what was streamed in is out of the buffer."""
        self.buffered.clear()

    def _check_buffer(self, statement: exp.Update | exp.Delete, values: list[Any]) -> None:
        """The condition's parameters are the last."""
        table, where = statement.this.name, statement.args["where"].sql("duckdb")
        marks = values[len(values) - len(list(statement.args["where"].find_all(exp.Placeholder))) :]
        sql = f"SELECT rowid FROM {table} {where}"  # noqa: S608
        hit = {row for (row,) in self.connection.execute(sql, marks).fetchall()}
        if hit & self.buffered.get(table, set()):
            message = (
                f"UPDATE or DELETE statement over table {table} would affect rows in the streaming"
                " buffer, which is not supported"
            )
            raise Refused(400, "invalidQuery", message)

    def test_permissions(self, body: Json) -> Json:
        return {"permissions": [name for name in body["permissions"] if name not in self.denied]}

    def start_job(self, project: str, body: Json) -> Json:
        query = body["configuration"]["query"]
        job = body["jobReference"]["jobId"]
        if not body["configuration"].get("dryRun"):
            self.results[job] = self._query(project, query)
        return self.job(project, job, body["configuration"])

    def job(self, project: str, job: str, configuration: Json) -> Json:
        return {
            "jobReference": {"projectId": project, "jobId": job, "location": "US"},
            "configuration": configuration,
            "status": {"state": "DONE"},
            "statistics": {"query": {"statementType": "SELECT"}},
        }

    def get_job(self, project: str, job: str) -> Json:
        return self.job(project, job, {"query": {}})

    def query_results(self, project: str, job: str) -> Json:
        reference = {"projectId": project, "jobId": job, "location": "US"}
        return {"jobComplete": True, "jobReference": reference, **self.results[job]}

    def _query(self, project: str, query: Json) -> Json:
        values = [_value(parameter) for parameter in query.get("queryParameters", [])]
        default = query.get("defaultDataset")
        try:
            if default:
                self.connection.execute(f'USE "{default["projectId"]}"."{default["datasetId"]}"')
            for statement, sql in _transpiled(query["query"]):
                if isinstance(statement, exp.Update | exp.Delete):
                    self._check_buffer(statement, values)
                cursor = self.connection.execute(sql, values)
                if isinstance(statement, exp.Create) and statement.kind == "TABLE":
                    target = statement.this.this
                    name = f"{target.catalog}.{target.db}.{target.name}"
                    self.schemas.setdefault(name, schema_of(statement))
        except duckdb.Error as error:
            raise Refused(400, "invalidQuery", str(error)) from error
        if isinstance(statement, exp.Create):
            return {"schema": {"fields": []}, "rows": [], "totalRows": "0"}
        if isinstance(statement, exp.Update | exp.Delete):
            [(changed,)] = cursor.fetchall()
            return {"schema": {"fields": []}, "numDmlAffectedRows": str(changed)}
        return _result(cursor)


def _value(parameter: Json) -> Any:
    value = parameter["parameterValue"]
    if parameter["parameterType"]["type"] == "ARRAY":
        return [item["value"] for item in value.get("arrayValues", [])]
    if parameter["parameterType"]["type"] == "TIMESTAMP":
        return EPOCH.fromisoformat(value["value"])
    return value["value"]


@cache
def _transpiled(script: str) -> list[tuple[exp.Expr, str]]:
    """The statements of a script, each parsed and in DuckDB's SQL."""
    ignore = sqlglot.ErrorLevel.IGNORE
    statements = filter(None, sqlglot.parse(script, read="bigquery"))
    return [(each, each.sql("duckdb", unsupported_level=ignore)) for each in statements]


def _result(cursor: duckdb.DuckDBPyConnection) -> Json:
    fields = []
    for name, kind, *_ in cursor.description or ():
        mode = "REPEATED" if str(kind).endswith("[]") else "NULLABLE"
        base = DUCKDB_TYPES[str(kind).removesuffix("[]")]
        fields.append({"name": name, "type": base, "mode": mode})
    rows = [{"f": [_cell(value) for value in row]} for row in cursor.fetchall()]
    return {"schema": {"fields": fields}, "rows": rows, "totalRows": str(len(rows))}


Route = tuple[str, str, Callable[..., Json]]

ROUTES: tuple[Route, ...] = (
    ("POST", r"/projects/([^/]+)/datasets", lambda b, p, body: b.create_dataset(p, body)),
    ("GET", r"/projects/([^/]+)/datasets/([^/]+)", lambda b, p, d, body: b.get_dataset(p, d)),
    (
        "PATCH",
        r"/projects/([^/]+)/datasets/([^/]+)",
        lambda b, p, d, body: b.patch_dataset(p, d, body),
    ),
    ("DELETE", r"/projects/([^/]+)/datasets/([^/]+)", lambda b, p, d, body: b.delete_dataset(p, d)),
    (
        "GET",
        r"/projects/([^/]+)/datasets/([^/]+)/tables/([^/]+)",
        lambda b, p, d, t, body: b.get_table(p, d, t),
    ),
    (
        "POST",
        r"/projects/[^/]+/datasets/[^/]+/tables/[^/]+:testIamPermissions",
        lambda b, body: b.test_permissions(body),
    ),
    (
        "POST",
        r"/projects/([^/]+)/datasets/([^/]+)/tables/([^/]+)/insertAll",
        lambda b, p, d, t, body: b.insert_all(p, d, t, body),
    ),
    ("POST", r"/projects/([^/]+)/jobs", lambda b, p, body: b.start_job(p, body)),
    ("GET", r"/projects/([^/]+)/jobs/([^/]+)", lambda b, p, j, body: b.get_job(p, j)),
    ("GET", r"/projects/([^/]+)/queries/([^/]+)", lambda b, p, j, body: b.query_results(p, j)),
)


class _Server(ThreadingHTTPServer):
    def __init__(self, backend: Backend) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.backend = backend


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Tests print enough."""

    def _answer(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(size)
        path = re.sub(r"^(/bigquery/v2|/bigquery)?", "", urlsplit(self.path).path)
        with self.server.backend.lock:
            self.server.backend.requests.append(f"{self.command} {path}")
            try:
                status, body = 200, self._route(path, raw)
            except Refused as refused:
                status, body = refused.status, refused.body()
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _route(self, path: str, raw: bytes) -> Json:
        backend = self.server.backend
        for pattern, refused in backend.refuse.items():
            method, ending = pattern.split()
            if self.command == method and path.endswith(ending):
                raise refused
        lost = None
        if backend.fail_next:
            lost = backend.fail_next.pop(0)
            if not lost.done:
                raise lost
        answer = self._do(path, raw)
        if lost is not None:
            raise lost
        return answer

    def _do(self, path: str, raw: bytes) -> Json:
        if len(raw) > MAX_BYTES:
            raise Refused(413, "invalid", "Request payload size exceeds the limit: 10485760 bytes.")
        body = json.loads(raw) if raw else {}
        for method, pattern, handler in ROUTES:
            match = re.fullmatch(pattern, path)
            if method == self.command and match:
                answer: Json = handler(self.server.backend, *match.groups(), body)
                return answer
        raise Refused(404, "notFound", f"Not found: {self.command} {path}")

    do_GET = do_POST = do_PATCH = do_DELETE = _answer


@contextmanager
def serve() -> Iterator[tuple[str, Backend]]:
    """Runs a server on a free port; yields its address and its backend."""
    backend = Backend()
    server = _Server(backend)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", backend
    finally:
        server.shutdown()
        server.server_close()
        backend.connection.close()
        del server.backend  # a handler thread may outlive the server
