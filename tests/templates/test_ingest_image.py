"""The image of ingest: what it installs is all that it needs, and no more."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import packages_distributions

import pytest
import yaml

from templates import context
from templates.lock import INGEST, extra
from tests.templates.dockerfiles import FOLDER, values
from tests.templates.test_lock import CONSTRAINTS, PROJECT, canonical, releases

TEXT = (FOLDER / "ingest.Dockerfile").read_text()
LOCKED = releases(FOLDER / "requirements-ingest.txt")
HEAVY = ("apache-beam", "torch", "onnxruntime", "pyarrow", "duckdb", "prophet", "numpy")
RUN = """
import importlib, sys

class NotInTheImage:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"{name} is not in the image", name=name)

sys.meta_path.insert(0, NotInTheImage())
import ingest.main, ingest.cli, ingest.cursors.gcs, google.cloud.secretmanager
import mltox.google.pubsub.checks
from ingest.sources.registry import SOURCES, source_module

print(*[name for name in SOURCES if name not in ("file", "sample") and source_module(name)])
"""


@pytest.mark.parametrize("requirement", [*INGEST, *extra(PROJECT, "ingest")])
def test_what_ingest_needs_is_locked(requirement: str) -> None:
    """Where it is not: python -m templates.lock."""
    assert canonical(re.split(r"[\[>=<]", requirement)[0]) in LOCKED


def test_it_has_the_releases_that_the_tests_ran_with() -> None:
    assert {name: CONSTRAINTS.get(name) for name in LOCKED} == LOCKED


def test_it_carries_no_pipeline_and_no_model_runtime() -> None:
    assert LOCKED.keys().isdisjoint(HEAVY)


def test_every_network_is_read_with_what_is_in_the_image() -> None:
    """All else that is installed here is hidden from a process of its own."""
    absent = {
        module
        for module, distributions in packages_distributions().items()
        if not {canonical(name) for name in distributions} & {*LOCKED, "mltox", "setuptools"}
    }
    assert "apache_beam" in absent and "pyarrow" in absent
    ended = subprocess.run(
        [sys.executable, "-c", f"ABSENT = {absent!r}\n{RUN}"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split() == ["x-stream", "x-search", "bluesky", "mastodon", "reddit"]


def test_all_that_is_copied_is_laid_out() -> None:
    sources = {source for value in values(TEXT, "COPY") for source in value.split()[:-1]}
    assert sources <= {*context.CONTEXT_FILES, "mltox.tar.gz"}


def test_every_requirement_is_installed_by_its_hash() -> None:
    for value in values(TEXT, "RUN"):
        for command in value.split("&&"):
            if "pip install" in command:
                assert "--require-hashes" in command or "mltox.tar.gz" in command


def test_it_tells_whether_it_is_well() -> None:
    (check,) = values(TEXT, "HEALTHCHECK")
    assert "PORT" in check


def test_cloud_build_builds_this_file() -> None:
    recipe = yaml.safe_load((FOLDER / "cloudbuild-ingest.yaml").read_text())
    assert "--file=ingest.Dockerfile" in recipe["steps"][0]["args"]
    assert {"ingest.Dockerfile", "cloudbuild-ingest.yaml"} <= set(context.CONTEXT_FILES)
