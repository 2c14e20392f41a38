"""A local server in the shape of the Google REST APIs that provisioning asks. A test tool.

It keeps what is made, under `service/path`, and refuses as Google does: 404, 409, 403 with the
permission, 412 for a policy that changed meanwhile. `denied` holds permissions that nobody has,
`off` APIs with the number of calls that they still refuse, `races` policies that change once
between a read and a write, `full` buckets with objects, `hidden` what is not found once.
"""

from __future__ import annotations

import copy
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import requests

from templates.provisioning.rest import Rest

Json = dict[str, Any]

FAMILIES = {
    "services": "serviceusage.services",
    "projects": "resourcemanager.projects",
    "serviceAccounts": "iam.serviceAccounts",
    "roles": "iam.roles",
    "secrets": "secretmanager.secrets",
    "b": "storage.buckets",
    "repositories": "artifactregistry.repositories",
    "jobs": "cloudscheduler.jobs",
    "topics": "pubsub.topics",
    "subscriptions": "pubsub.subscriptions",
    "operations": "operations",
}
STATUS = {
    400: "INVALID_ARGUMENT",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
}
VERBS = {"GET": "get", "POST": "create", "PATCH": "update", "DELETE": "delete"}
INFO = "type.googleapis.com/google.rpc.ErrorInfo"


class Answer(Exception):
    """An error, with Google's details."""

    def __init__(self, code: int, message: str, reason: str = "", **metadata: str) -> None:
        super().__init__(message)
        self.code = code
        error: Json = {"code": code, "message": message, "status": STATUS.get(code, "UNKNOWN")}
        if reason:
            error["details"] = [{"@type": INFO, "reason": reason, "metadata": metadata}]
        self.body = {"error": error}


@dataclass
class Google:
    kept: dict[str, Json] = field(default_factory=dict)
    policies: dict[str, Json] = field(default_factory=dict)
    denied: set[str] = field(default_factory=set)
    off: dict[str, int] = field(default_factory=dict)
    races: set[str] = field(default_factory=set)
    full: set[str] = field(default_factory=set)
    hidden: set[str] = field(default_factory=set)
    unknown_members: dict[str, int] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)

    def answer(self, method: str, service: str, path: str, params: Json, body: Json) -> Json:
        self.requests.append(f"{method} {service}/{path}")
        if self.off.get(service, 0) > 0:
            self.off[service] -= 1
            raise Answer(403, f"{service} has not been used before", "SERVICE_DISABLED")
        path, _, verb = path.partition(":") if not path.endswith("/iam") else (path, "", "")
        if path.endswith("/iam"):
            path, verb = path.removesuffix("/iam"), "getIamPolicy" if method == "GET" else "set"
            body = {"policy": body}
        key = f"{service}/{path}"
        self._permit(method, path, verb)
        if verb.startswith("getIam"):
            return self._policy(key)
        if verb.startswith("set"):
            return self._set_policy(key, body["policy"])
        if verb:
            return self._act(key, verb)
        if method == "POST":
            return self._create(service, path, params, body)
        if method == "GET":
            return self._get(key)
        if method == "PATCH":
            return self._patch(key, service, params, body)
        return self._delete(key)

    def _permit(self, method: str, path: str, verb: str) -> None:
        parts = path.split("/")
        collection = parts[-1] if method == "POST" and not verb else parts[-2]
        verb = {"set": "setIamPolicy"}.get(verb, verb)
        permission = f"{FAMILIES[collection]}.{verb or VERBS[method]}"
        if permission in self.denied:
            raise Answer(
                403,
                f"Permission '{permission}' denied on resource '//{path}' (or it may not exist).",
                "IAM_PERMISSION_DENIED",
                permission=permission,
            )

    def _get(self, key: str) -> Json:
        if match := re.fullmatch(r"serviceusage/v1/projects/\w[\w-]*/services/(.+)", key):
            return self.kept.get(key, {"name": match[1], "state": "DISABLED"})
        if key.startswith("cloudresourcemanager/"):
            return {"name": "projects/42", "projectId": key.rpartition("/")[2]}
        if "/operations/" in key:
            return {"name": key.partition("/v1/")[2], "done": True, "response": {}}
        if key not in self.kept or key in self.hidden:
            self.hidden.discard(key)
            raise Answer(404, f"Resource '{key}' was not found.")
        return self.kept[key]

    def _create(self, service: str, path: str, params: Json, body: Json) -> Json:
        name = params.get("secretId") or params.get("repositoryId") or body.get("roleId")
        made = body.get("role") or body.get("serviceAccount") or body
        if account := body.get("accountId"):
            name = f"{account}@{path.split('/')[2]}.iam.gserviceaccount.com"
        name = name or body["name"].rpartition("/")[2]
        key = f"{service}/{path}/{name}"
        if key in self.kept:
            raise Answer(409, f"Resource '{key}' already exists.")
        self.kept[key] = {**made, "name": f"{path.partition('/')[2]}/{name}", "etag": "1"}
        if service == "artifactregistry":
            return {"name": f"{path.partition('/')[2].rpartition('/')[0]}/operations/1"}
        return self.kept[key]

    def _patch(self, key: str, service: str, params: Json, body: Json) -> Json:
        found = self._get(key)
        if service != "storage":
            assert params["updateMask"].split(",") == list(body), "the mask names what is sent"
        found.update(body)
        return found

    def _delete(self, key: str) -> Json:
        found = self._get(key)
        if key.rpartition("/")[2] in self.full:
            raise Answer(409, "The bucket you tried to delete is not empty.")
        if "/roles/" in key:
            found["deleted"] = True
            return found
        del self.kept[key]
        self.policies.pop(key, None)
        return {}

    def _act(self, key: str, verb: str) -> Json:
        if verb == "enable":
            self.kept[key] = {"state": "ENABLED"}
            return {"name": "operations/acf.1", "done": False}
        found = self._get(key)
        if verb == "pause":
            found["state"] = "PAUSED"
        else:
            found.pop("deleted")
        return found

    def _policy(self, key: str) -> Json:
        policy = self.policies.setdefault(key, {"etag": "0", "version": 1})
        answer = copy.deepcopy(policy)
        if key in self.races:
            self.races.remove(key)
            policy["etag"] += "x"
        return answer

    def _set_policy(self, key: str, policy: Json) -> Json:
        current = self.policies.get(key, {"etag": "0"})
        if policy.get("etag") != current["etag"]:
            code = 412 if key.startswith("storage/") else 409
            raise Answer(code, "There were concurrent policy changes.")
        members = [m for binding in policy["bindings"] for m in binding["members"]]
        for member in members:
            if self.unknown_members.get(member, 0) > 0:
                self.unknown_members[member] -= 1
                raise Answer(400, f"Service account {member} does not exist.")
        self.policies[key] = {**policy, "etag": current["etag"] + "+"}
        return self.policies[key]


class _Server(ThreadingHTTPServer):
    def __init__(self, google: Google) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.google, self.lock = google, threading.Lock()


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Tests print enough."""

    def _serve(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        _, service, path = unquote(parts.path).split("/", 2)
        params, body = dict(parse_qsl(parts.query)), json.loads(raw) if raw else {}
        with self.server.lock:
            try:
                code, said = (
                    200,
                    self.server.google.answer(self.command, service, path, params, body),
                )
            except Answer as answer:
                code, said = answer.code, answer.body
            data = json.dumps(said).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve


@contextmanager
def serve() -> Iterator[tuple[Rest, Google, list[float]]]:
    """Yields a client that asks the server, the server's state, and the waits asked for."""
    google, waited = Google(), list[float]()
    server = _Server(google)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        with requests.Session() as session:
            endpoint = f"http://127.0.0.1:{server.server_port}/{{service}}"
            yield Rest(session, endpoint, waited.append), google, waited
    finally:
        server.shutdown()
        server.server_close()
