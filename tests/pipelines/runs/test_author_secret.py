"""The key for author hashes in Secret Manager, of which a server on this machine plays the part."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from concurrent import futures

import grpc
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from google.cloud.secretmanager import (
    AccessSecretVersionRequest,
    AccessSecretVersionResponse,
    SecretManagerServiceClient,
)
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcTransport,
)

from mltox.posts.authors import AuthorKeyError, AuthorKeys
from pipelines.options import AuthorOptions
from pipelines.runs import author_secret
from pipelines.runs.arguments import author_keys_of

VERSION = "projects/some-project/secrets/mltox-author-key/versions/latest"
SECRET = b"a long enough key for tests"


class Secrets(grpc.GenericRpcHandler):
    """Holds one version."""

    def __init__(self) -> None:
        self.asked = 0

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        if not details.method.endswith("/AccessSecretVersion"):
            return None
        return grpc.unary_unary_rpc_method_handler(
            self.access,
            request_deserializer=AccessSecretVersionRequest.deserialize,
            response_serializer=AccessSecretVersionResponse.serialize,
        )

    def access(
        self, request: AccessSecretVersionRequest, context: grpc.ServicerContext
    ) -> AccessSecretVersionResponse:
        self.asked += 1
        if request.name != VERSION:
            context.abort(grpc.StatusCode.NOT_FOUND, "no such version")
        return AccessSecretVersionResponse(name=VERSION, payload={"data": SECRET})


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Secrets]:
    handler = Secrets()
    server = grpc.server(futures.ThreadPoolExecutor(2), handlers=[handler])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    channel = grpc.insecure_channel(f"127.0.0.1:{port}")
    client = SecretManagerServiceClient(
        transport=SecretManagerServiceGrpcTransport(channel=channel)
    )
    monkeypatch.setattr("google.cloud.secretmanager.SecretManagerServiceClient", lambda: client)
    author_secret._fetched.cache_clear()
    yield handler
    author_secret._fetched.cache_clear()
    channel.close()
    server.stop(None)


def keys(version: str) -> AuthorKeys:
    return author_keys_of(
        PipelineOptions([f"--author_key_secret={version}"]).view_as(AuthorOptions)
    )


@pytest.mark.usefixtures("secrets")
def test_authors_have_the_keys_that_the_secret_itself_gives() -> None:
    assert keys(VERSION).key("x", "12") == AuthorKeys(SECRET).key("x", "12")


@pytest.mark.usefixtures("secrets")
def test_a_pickle_holds_where_the_secret_is_and_not_what() -> None:
    pickled = pickle.dumps(keys(VERSION))
    assert SECRET not in pickled
    assert VERSION.encode() in pickled
    assert pickle.loads(pickled).key("x", "12") == AuthorKeys(SECRET).key("x", "12")


def test_a_process_asks_once(secrets: Secrets) -> None:
    pickled = pickle.dumps(keys(VERSION))
    for _ in range(3):
        pickle.loads(pickled)
    assert secrets.asked == 1


@pytest.mark.usefixtures("secrets")
def test_a_version_that_is_not_there_is_told_in_one_line() -> None:
    with pytest.raises(AuthorKeyError, match=r"cannot read projects/.*/versions/7: 404"):
        keys(VERSION.replace("latest", "7"))


def test_the_environment_serves_where_no_secret_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLTOX_AUTHOR_KEY", SECRET.decode())
    found = author_keys_of(PipelineOptions([]).view_as(AuthorOptions))
    assert found.key("x", "12") == AuthorKeys(SECRET).key("x", "12")
