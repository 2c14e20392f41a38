"""Clients that others wrote, as their registries serve them, against a real server.

Their address is fixed in their code. So the name that they ask for leads to a server on this
machine, which shows a certificate of a CA of our own; nothing of a client is touched. Three of them
call their package `perspective`: each is installed into a folder of its own, which pytest keeps.
"""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.serving.conftest import Process

GOOGLE = "commentanalyzer.googleapis.com"
KEY = "key-of-ours"
REDIRECT = """\
import json, os, socket
_lookup, _connect = socket.getaddrinfo, socket.socket.connect
def _here(host):
    return "127.0.0.1" if host in ({host!r}, {host!r}.encode()) else host
def _lookup_here(host, *rest, **more):
    return _lookup(_here(host), *rest, **more)
def _connect_here(self, address):
    port = int(os.environ["TEST_PORT"]) if address[1] == 443 else address[1]
    return _connect(self, (_here(address[0]), port, *address[2:]))
socket.getaddrinfo, socket.socket.connect = _lookup_here, _connect_here
def tell(value):
    print("ANSWER", json.dumps(value))
"""


class Google(NamedTuple):
    """A server that stands where Perspective's stood."""

    process: Process
    ca: Path


@pytest.fixture(scope="session")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Google]:
    """`mltox serve` with keys, and TLS under the name of Perspective's host."""
    folder = tmp_path_factory.mktemp("tls")
    ca, certificate, key = write_certificates(folder)
    (folder / "keys").write_text(KEY)
    process = Process(
        ("--threads", "1", "--scale", "model", "--keys", str(folder / "keys"),
         "--tls-cert", str(certificate), "--tls-key", str(key))
    )  # fmt: skip
    yield Google(process, ca)
    process.stop()


def write_certificates(folder: Path) -> tuple[Path, Path, Path]:
    """A CA, and a certificate of its own for Perspective's host: files of CA, certificate, key."""
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a CA of our own")])
    now = datetime.datetime.now(datetime.UTC)

    def signed(subject: x509.Name, public: Any, extension: Any, critical: bool) -> bytes:
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(extension, critical)
        )
        return builder.sign(ca_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    files = folder / "ca.pem", folder / "server.pem", folder / "server.key"
    host = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, GOOGLE)])
    names = x509.SubjectAlternativeName([x509.DNSName(GOOGLE), x509.DNSName("localhost")])
    basic = x509.BasicConstraints(ca=True, path_length=None)
    files[0].write_bytes(signed(name, ca_key.public_key(), basic, True))
    files[1].write_bytes(signed(host, key.public_key(), names, False))
    files[2].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


@pytest.fixture(scope="session")
def installed(pytestconfig: pytest.Config) -> Callable[..., Path]:
    """The folder of a package of PyPI, installed alone. Skips the test where PyPI cannot serve it,
    which CI takes for a failure."""
    cache = pytestconfig.cache
    assert cache is not None

    def install(*requirements: str) -> Path:
        folder = cache.mkdir("clients") / "+".join(requirements)
        if not folder.exists():
            target = folder.with_name(f"{folder.name}.{os.getpid()}")
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
            pip += ["--disable-pip-version-check", "--target", str(target), *requirements]
            done = subprocess.run(pip, capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"PyPI does not serve {requirements}: {done.stderr[-300:]}")
            if not folder.exists():
                target.rename(folder)
        return folder

    return install


@pytest.fixture
def python(google: Google) -> Callable[[Path, str], Any]:
    """Runs a script with a client's folder before all others; what it tells."""

    def run(folder: Path, script: str) -> Any:
        source = REDIRECT.format(host=GOOGLE) + script
        environment = {
            **os.environ,
            "PYTHONPATH": str(folder),
            "TEST_PORT": str(google.process.port),
            "SSL_CERT_FILE": str(google.ca),
            "REQUESTS_CA_BUNDLE": str(google.ca),
            "HTTPLIB2_CA_CERTS": str(google.ca),
            "MPLBACKEND": "agg",
        }
        return told([sys.executable, "-c", source], environment)

    return run


def told(command: list[str], environment: dict[str, str], cwd: Path | None = None) -> Any:
    """The last thing that a program printed as `ANSWER` and JSON."""
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, env=environment, cwd=cwd, check=False
    )
    answers = [line for line in done.stdout.splitlines() if line.startswith("ANSWER ")]
    assert answers and not done.returncode, done.stdout[-2_000:] + done.stderr[-2_000:]
    return json.loads(answers[-1].removeprefix("ANSWER "))
