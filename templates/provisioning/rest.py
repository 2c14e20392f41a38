"""Google's REST APIs, as far as this package asks them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import google.auth
import requests
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession
from tenacity import Retrying

from mltox.google.errors import no_credentials, one_line, reason_of
from mltox.google.retries import is_fleeting, patiently
from templates.provisioning.change import Change
from templates.provisioning.errors import ProvisionError, missing

Json = dict[str, Any]

CLOUD_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
GOOGLE = "https://{service}.googleapis.com"
REST_SECONDS = 30.0
TRANSIENT = frozenset({429, 500, 502, 503, 504})
CONFLICT = frozenset({409, 412})
DISABLED = "SERVICE_DISABLED"
"""Google's reason for a call to an API that is off, or was switched on a moment ago."""


class ApiError(Exception):
    """An answer that is an error: HTTP status, Google's reason, its message."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status, self.reason = status, reason


@dataclass(frozen=True)
class Item:
    """A resource as REST has it.

    `family` and a verb are the permission that a call takes: storage.buckets + create.
    """

    service: str
    path: str
    family: str
    name: str
    """How a message calls it."""


REST_TRIES = 9
"""Two minutes in all, as long as a new API may take to answer: waits of about 1, 2, 4, 8, 16, and
then 30 seconds."""
FIRST_WAIT, LONGEST_WAIT = 1.0, 30.0


class Unfinished(Exception):
    """An operation that Google is still at."""


class Rest:
    """Calls with credentials, tried again where that may help."""

    def __init__(
        self,
        session: requests.Session,
        endpoint: str = GOOGLE,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._session, self._endpoint, self._sleep = session, endpoint, sleep

    def patiently(self, again: Callable[[BaseException], bool]) -> Retrying:
        return patiently(
            again=again,
            tries=REST_TRIES,
            sleep=self._sleep,
            first=FIRST_WAIT,
            longest=LONGEST_WAIT,
        )

    def get(self, item: Item) -> Json | None:
        """None where there is no such resource."""
        try:
            return self.call("GET", item, "get")
        except ApiError as refused:
            if refused.status == 404:
                return None
            raise

    def ensure(
        self,
        item: Item,
        wanted: Mapping[str, Any],
        *,
        create: str,
        body: Mapping[str, Any],
        params: Mapping[str, str] | None = None,
        masked: bool = True,
    ) -> Change:
        """Makes what is missing and sets those fields of `wanted` that differ.

        `create` is the path to POST `body` to; `masked`: a PATCH names its fields in updateMask.
        """
        found = self.get(item)
        if found is None:
            try:
                self.done(
                    item, self.call("POST", item, "create", path=create, body=body, params=params)
                )
            except ApiError as refused:
                if refused.status != 409:
                    raise
                found = self.get(item) or {}
            else:
                return Change.MADE
        differing = {key: value for key, value in wanted.items() if not same(found.get(key), value)}
        if not differing:
            return Change.THERE
        mask = {"updateMask": ",".join(differing)} if masked else None
        self.call("PATCH", item, "update", body=differing, params=mask)
        return Change.CHANGED

    def remove(self, item: Item) -> Change:
        try:
            self.done(item, self.call("DELETE", item, "delete"))
        except ApiError as refused:
            if refused.status == 404:
                return Change.ABSENT
            raise
        return Change.REMOVED

    def done(self, item: Item, answer: Json) -> None:
        """Waits for a long-running operation; an answer that is none is done already."""
        if "done" not in answer and "/operations/" not in f"/{answer.get('name', '')}":
            return
        version = item.path.partition("/")[0]

        def look() -> Json:
            operation = self.call("GET", item, "get", path=f"{version}/{answer['name']}")
            if not operation.get("done"):
                raise Unfinished
            return operation

        try:
            waiting = self.patiently(lambda error: isinstance(error, Unfinished))
            operation = answer if answer.get("done") else waiting(look)
        except Unfinished:
            raise ProvisionError(
                f"{item.name}: Google is still at it; run the same again"
            ) from None
        if error := operation.get("error"):
            raise ProvisionError(f"{item.name}: {one_line(error.get('message'))}")

    def call(
        self,
        method: str,
        item: Item,
        verb: str,
        *,
        path: str | None = None,
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> Json:
        """Raises ProvisionError where a permission is missing or nobody answers, else ApiError."""
        url = f"{self._endpoint.format(service=item.service)}/{path or item.path}"
        try:
            return dict(self.patiently(may_pass)(self._once, method, url, body, params))
        except GoogleAuthError as error:
            raise ProvisionError(no_credentials(error)) from error
        except requests.RequestException as error:
            raise ProvisionError(f"{item.name}: {item.service} {reason_of(error)}") from error
        except ApiError as refused:
            if refused.status == 403 and refused.reason != DISABLED:
                raise missing(item.name, f"{item.family}.{verb}", str(refused)) from refused
            raise

    def _once(
        self,
        method: str,
        url: str,
        body: Mapping[str, Any] | None,
        params: Mapping[str, str] | None,
    ) -> Json:
        answer = self._session.request(method, url, json=body, params=params, timeout=REST_SECONDS)
        if answer.ok:
            return answer.json() if answer.content else {}
        raise refusal(answer.status_code, answer.text, _json_of(answer))


def _json_of(answer: requests.Response) -> Json:
    try:
        found = answer.json()
    except requests.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def refusal(status: int, text: str, body: Json) -> ApiError:
    """Google's error as https://cloud.google.com/apis/design/errors has it."""
    error = body.get("error")
    if not isinstance(error, dict):
        return ApiError(status, "", one_line(text) if text else f"HTTP {status}")
    reasons = [str(each.get("reason")) for each in error.get("details", ()) if "reason" in each]
    reason = DISABLED if DISABLED in reasons else str(error.get("status", ""))
    return ApiError(status, reason, str(error.get("message", "")))


def same(found: Any, wanted: Any) -> bool:
    """Whether all that is wanted is found; Google adds fields of its own."""
    if isinstance(wanted, Mapping):
        return isinstance(found, Mapping) and all(same(found.get(k), v) for k, v in wanted.items())
    if isinstance(wanted, list) and isinstance(found, list):
        return len(found) == len(wanted) and all(map(same, found, wanted))
    return bool(found == wanted)


def may_pass(error: BaseException) -> bool:
    if isinstance(error, ApiError):
        return error.status in TRANSIENT or error.reason == DISABLED
    return isinstance(error, requests.RequestException) or is_fleeting(error)


def connect_rest(project: str) -> Rest:
    """With the machine's credentials, at the project's quotas: those of a person have none of their
    own. Raises ProvisionError where there are none."""
    try:
        credentials, _ = google.auth.default(scopes=[CLOUD_SCOPE], quota_project_id=project)
    except GoogleAuthError as error:
        raise ProvisionError(no_credentials(error)) from error
    return Rest(AuthorizedSession(credentials))
