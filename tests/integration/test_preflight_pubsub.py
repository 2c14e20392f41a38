"""What is told of Pub/Sub before a run, by the real emulator."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.iam.v1 import iam_policy_pb2
from google.pubsub_v1 import PublisherClient, SubscriberClient, Subscription, Topic

from mltox.google.pubsub import checks as asked
from mltox.google.retries import patiently
from pipelines.preflight import Needs, check, problems_of
from tests.bigquery_server import serve
from tests.integration.pubsub import (
    PROJECT,
    SUBSCRIPTION,
    TOPIC,
    emulated,
    environment,
    need_emulator,
)

MISSING = f"projects/{PROJECT}/subscriptions/nowhere"


@pytest.fixture(scope="module")
def emulator() -> Iterator[str]:
    need_emulator()
    with emulated() as address:
        yield address


@pytest.fixture
def address(emulator: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", emulator)
    return emulator


@pytest.mark.drill
@pytest.mark.usefixtures("address")
def test_what_is_there_is_no_problem() -> None:
    """The emulator does not know the question for permissions: unknown is no failure."""
    check(Needs(subscription=SUBSCRIPTION, topics=(TOPIC, None)))


@pytest.mark.drill
@pytest.mark.usefixtures("address")
def test_what_is_missing_comes_with_the_command_that_makes_it() -> None:
    needs = Needs(subscription=MISSING, topics=(f"projects/{PROJECT}/topics/alerts",))
    assert list(problems_of(needs)) == [
        f"{MISSING}: there is no such subscription; run: gcloud pubsub subscriptions create nowhere"
        f" --project={PROJECT} --topic=TOPIC",
        f"projects/{PROJECT}/topics/alerts: there is no such topic; run: gcloud pubsub topics"
        f" create alerts --project={PROJECT}",
    ]


@pytest.mark.drill
@pytest.mark.usefixtures("address")
def test_a_subscription_that_outlived_its_topic_is_told() -> None:
    topic, subscription = f"{TOPIC}-gone", f"{SUBSCRIPTION}-orphan"
    with PublisherClient() as publisher, SubscriberClient() as subscriber:
        publisher.create_topic(request={"name": topic})
        subscriber.create_subscription(request={"name": subscription, "topic": topic})
        publisher.delete_topic(request={"topic": topic})
    (problem,) = problems_of(Needs(subscription=subscription))
    assert problem.startswith(f"{subscription}: its topic was deleted")


@pytest.mark.drill
def test_mltox_stream_tells_all_and_ends_with_2(address: str, tmp_path: Path) -> None:
    """Pub/Sub, BigQuery and the bundle at once; nothing is made and no job is launched."""
    with serve() as (bigquery, backend):
        ended = subprocess.run(
            [sys.executable, "-m", "mltox", "stream", "--input_subscription", MISSING,
             "--warehouse", "bq://some-project.mltox", "--bundle", str(tmp_path),
             "--dead_letter_topic", TOPIC, "--alerts_topic", TOPIC + "-alerts"],
            env=environment(address) | {"BIGQUERY_EMULATOR_HOST": bigquery},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert backend.requests == ["GET /projects/some-project/datasets/mltox"]
    assert ended.returncode == 2
    said = ended.stderr[ended.stderr.index("mltox: ") :].splitlines()
    assert said[0] == "mltox: 4 problems:"
    assert said[1].startswith(f"  {MISSING}: there is no such subscription")
    assert said[2].startswith(
        f"  {TOPIC}-alerts: there is no such topic; run: gcloud pubsub topics"
    )
    assert said[3].startswith("  bq://some-project.mltox: there is no such dataset; run: ")
    assert said[4].startswith("  no model bundle at ") and len(said) == 5


@pytest.mark.drill
def test_mltox_stream_builds_the_job_where_all_is_there(address: str) -> None:
    """Dataflow's graph, up to where the job would be sent."""
    uri = "bq://some-project.mltox"
    with serve() as (bigquery, backend):
        cloud = environment(address) | {"BIGQUERY_EMULATOR_HOST": bigquery, "NO_GCE_CHECK": "true"}
        provision = [sys.executable, "-m", "mltox", "provision", "--warehouse", uri]
        subprocess.run(provision, env=cloud, capture_output=True, timeout=120, check=True)
        ended = subprocess.run(
            [sys.executable, "-m", "mltox", "stream", "--input_subscription", SUBSCRIPTION,
             "--warehouse", uri, "--runner", "DataflowRunner", "--dry_run", "true", "--no_auth",
             "--project", "some-project", "--region", "europe-west1",
             "--temp_location", "gs://bucket/temp"],
            env=cloud, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert any(line.endswith("/tables/anomalies") for line in backend.requests)
    assert ended.returncode == 0, ended.stderr


@pytest.mark.drill
def test_a_live_run_on_this_machine_passes_and_starts(address: str, tmp_path: Path) -> None:
    warehouse = tmp_path / "live.duckdb"
    live = subprocess.Popen(
        [sys.executable, "-m", "mltox", "stream", "--input_subscription", SUBSCRIPTION,
         "--warehouse", str(warehouse)],
        env=environment(address), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    watch = threading.Timer(60, live.kill)
    watch.start()
    try:
        while not warehouse.exists() and live.poll() is None:
            threading.Event().wait(0.2)
        threading.Event().wait(1.5)
        live.send_signal(signal.SIGINT)
        said, _ = live.communicate(timeout=60)
    finally:
        watch.cancel()
    assert live.returncode == 0, said
    assert "rows read" in said


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "127.0.0.1:9")
    monkeypatch.setattr(asked, "_asking", patiently(give_up_after=0.2))
    (problem,) = problems_of(Needs(subscription=SUBSCRIPTION))
    assert problem.startswith(f"{SUBSCRIPTION}: Pub/Sub can't be reached: ")
    assert "\n" not in problem


class Guarded(grpc.GenericRpcHandler):
    """Pub/Sub's gRPC for one who lacks permissions: the emulator has none to lack."""

    def __init__(self, granted: set[str], *, may_look: bool) -> None:
        self._granted, self._may_look = granted, may_look

    def service(self, details: Any) -> Any:
        if details.method.endswith("/TestIamPermissions"):
            return grpc.unary_unary_rpc_method_handler(
                self._test,
                iam_policy_pb2.TestIamPermissionsRequest.FromString,
                iam_policy_pb2.TestIamPermissionsResponse.SerializeToString,
            )
        kind = Subscription if details.method.endswith("/GetSubscription") else Topic
        return grpc.unary_unary_rpc_method_handler(
            lambda _, context: self._get(kind, context), bytes, kind.serialize
        )

    def _test(self, request: Any, _: Any) -> Any:
        allowed = [name for name in request.permissions if name in self._granted]
        return iam_policy_pb2.TestIamPermissionsResponse(permissions=allowed)

    def _get(self, kind: Any, context: Any) -> Any:
        if not self._may_look:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "User not authorized")
        return kind(name="n")


@pytest.mark.parametrize("may_look", [True, False])
@pytest.mark.parametrize("granted", [True, False])
def test_permissions(monkeypatch: pytest.MonkeyPatch, may_look: bool, granted: bool) -> None:
    """Who may pull and publish, and yet not look, has what a run needs."""
    server = grpc.server(futures.ThreadPoolExecutor(2))
    permissions = {asked.CONSUME, asked.PUBLISH} if granted else set()
    server.add_generic_rpc_handlers((Guarded(permissions, may_look=may_look),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", f"127.0.0.1:{port}")
    try:
        found = list(problems_of(Needs(subscription=SUBSCRIPTION, topics=(TOPIC,))))
    finally:
        server.stop(None)
    perhaps = "" if may_look else ", or there is no such resource"
    expected = [
        f"{SUBSCRIPTION}: permission pubsub.subscriptions.consume is missing"
        f" (roles/pubsub.subscriber){perhaps}",
        f"{TOPIC}: permission pubsub.topics.publish is missing (roles/pubsub.publisher){perhaps}",
    ]
    assert found == ([] if granted else expected)
