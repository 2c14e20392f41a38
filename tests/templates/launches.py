"""Starts templates/launcher.py as Dataflow's launcher does, with nothing of Google in reach."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import google_crc32c
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.bigquery_server import Backend, serve

ROOT = Path(__file__).parents[2]
IMAGE = "europe-west1-docker.pkg.dev/some-project/mltox/t:v7"
SECONDS = 300


class Google(BaseHTTPRequestHandler):
    """Gives a token to everybody, and takes what is uploaded to any bucket. Keeps nothing."""

    def do_GET(self) -> None:
        self._answer(200, {"name": "some-bucket", "location": "EU"})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if "uploadType=resumable" in self.path:
            self._answer(200, {}, location=f"http://{self.headers['Host']}/session")
        else:
            self._answer(200, {"access_token": "t", "expires_in": 3600, "token_type": "Bearer"})

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        sums = {
            "md5Hash": base64.b64encode(hashlib.md5(content).digest()).decode(),
            "crc32c": base64.b64encode(google_crc32c.Checksum(content).digest()).decode(),
        }
        self._answer(200, {"name": "o", "bucket": "b", "size": str(len(content)), **sums})

    def _answer(self, status: int, body: Mapping[str, Any], location: str | None = None) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Tests print enough."""


def credentials(token_uri: str) -> dict[str, str]:
    """A service account's key, made for the moment."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    email = "some-account@some-project.iam.gserviceaccount.com"
    return {
        "type": "service_account",
        "project_id": "some-project",
        "client_email": email,
        "private_key": pem,
        "token_uri": token_uri,
    }


@contextmanager
def cloud(folder: Path) -> Iterator[tuple[dict[str, str], Backend]]:
    """The environment of a launch that finds BigQuery, a bucket and its tokens on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Google)
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    key = folder / "key.json"
    key.write_text(json.dumps(credentials(f"{address}/token")))
    try:
        with serve() as (bigquery, backend):
            environment = {
                "BIGQUERY_EMULATOR_HOST": bigquery,
                "STORAGE_EMULATOR_HOST": address,
                "GOOGLE_APPLICATION_CREDENTIALS": str(key),
                "GOOGLE_CLOUD_PROJECT": "some-project",
                "NO_GCE_CHECK": "true",
                "MLTOX_AUTHOR_KEY": "a long enough key for tests",
            }
            yield environment, backend
    finally:
        server.shutdown()
        server.server_close()


def launch(
    pipeline: str, folder: Path, environment: Mapping[str, str], *parameters: str
) -> dict[str, Any]:
    """Returns the job that would be handed in: with --template_location Beam writes it to a file,
    which is how a flex template is launched."""
    job = folder / f"{pipeline}.json"
    command = [
        *(sys.executable, str(ROOT / "templates" / "launcher.py")),
        "--runner=DataflowRunner",
        "--no_auth",
        "--project=some-project",
        "--region=europe-west1",
        "--job_name=some-job",
        f"--template_location={job}",
        "--staging_location=gs://some-bucket/staging",
        "--temp_location=gs://some-bucket/temp",
        "--max_num_workers=3",
        "--labels=team=some",
        *parameters,
    ]
    images = {"MLTOX_PIPELINE": pipeline, "MLTOX_IMAGE": IMAGE, "PYTHONPATH": str(ROOT)}
    subprocess.run(
        command,
        cwd=folder,
        check=True,
        timeout=SECONDS,
        env={**os.environ, **environment, **images},
    )
    made: dict[str, Any] = json.loads(job.read_text())
    return made


def options_of(job: Mapping[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = job["environment"]["sdkPipelineOptions"]["options"]
    return options
