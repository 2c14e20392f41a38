"""Keys out of the environment, and out of Secret Manager as a gRPC server on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent import futures

import grpc
import pytest
from google.cloud.secretmanager import (
    AccessSecretVersionRequest,
    AccessSecretVersionResponse,
    SecretManagerServiceClient,
)
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcTransport,
)

from mltox.google.secrets import SecretError, secret

VERSION = "projects/p/secrets/x-bearer/versions/latest"
METHOD = "/google.cloud.secretmanager.v1.SecretManagerService/AccessSecretVersion"
KEPT = {VERSION: b"  from the manager\n", VERSION.replace("x-", "empty-"): b" \n"}


class Service(grpc.GenericRpcHandler):
    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        if details.method != METHOD:
            return None
        return grpc.unary_unary_rpc_method_handler(
            self.access,
            request_deserializer=AccessSecretVersionRequest.deserialize,
            response_serializer=AccessSecretVersionResponse.serialize,
        )

    def access(
        self, request: AccessSecretVersionRequest, context: grpc.ServicerContext
    ) -> AccessSecretVersionResponse:
        if request.name not in KEPT:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "secretmanager.versions.access denied")
        return AccessSecretVersionResponse(payload={"data": KEPT[request.name]})


@pytest.fixture(scope="module")
def client() -> Iterator[SecretManagerServiceClient]:
    server = grpc.server(futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((Service(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    channel = grpc.insecure_channel(f"127.0.0.1:{port}")
    yield SecretManagerServiceClient(transport=SecretManagerServiceGrpcTransport(channel=channel))
    channel.close()
    server.stop(None)


@pytest.fixture(autouse=True)
def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("A_KEY", raising=False)
    monkeypatch.delenv("A_KEY_SECRET", raising=False)


def test_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", " from the environment\n")
    monkeypatch.setenv("A_KEY_SECRET", VERSION)
    assert secret("A_KEY") == "from the environment"


@pytest.mark.parametrize("variable", ["A_KEY", "A_KEY_SECRET"])
def test_a_name_in_secret_manager_is_fetched(
    variable: str, client: SecretManagerServiceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, VERSION)
    assert secret("A_KEY", client) == "from the manager"


def test_a_key_that_is_missing_is_named_with_what_mends_it() -> None:
    with pytest.raises(SecretError, match=r"^A_KEY is not set: .* into A_KEY_SECRET$"):
        secret("A_KEY")


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("projects/p/secrets/other/versions/1", "A_KEY: cannot read .*access denied"),
        (VERSION.replace("x-", "empty-"), "A_KEY: .* is empty"),
        ("just-a-name", "A_KEY_SECRET is written projects/"),
    ],
)
def test_what_cannot_be_fetched_is_one_line(
    version: str, message: str, client: SecretManagerServiceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY_SECRET", version)
    with pytest.raises(SecretError, match=message) as raised:
        secret("A_KEY", client)
    assert "\n" not in str(raised.value)
