"""The image of `mltox serve`: what it installs is all that it needs, and no Beam."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import packages_distributions

import pytest

from templates import context
from templates.lock import SERVE, extra
from tests.templates.dockerfiles import FOLDER, values
from tests.templates.test_lock import CONSTRAINTS, PROJECT, canonical, releases

TEXT = (FOLDER / "serve.Dockerfile").read_text()
LOCKED = releases(FOLDER / "requirements-serve.txt")
HEAVY = ("apache-beam", "torch", "pyarrow", "duckdb", "prophet", "pandas", "scipy", "google-genai")
RUN = """
import sys

class NotInTheImage:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ABSENT:
            raise ModuleNotFoundError(f"{name} is not in the image", name=name)

sys.meta_path.insert(0, NotInTheImage())
import asyncio, json
import commands.serve, google.cloud.pubsub_v1, google.cloud.storage
from serving.engine import DEFAULT_BUNDLE, Engine
from serving.feedback import open_feedback
from serving.service import Call, ContractService

body = {"comment": {"text": "You are an idiot."}, "requestedAttributes": {"TOXICITY": {}}}
call = Call("analyze", {}, {}, json.dumps(body).encode())

async def answer():
    service = ContractService(Engine(str(DEFAULT_BUNDLE)), keep=open_feedback(None))
    return await service.answer(call)

print(asyncio.run(answer()).code)
"""


@pytest.mark.parametrize("requirement", [*SERVE, *extra(PROJECT, "serve")])
def test_what_serving_needs_is_locked(requirement: str) -> None:
    """Where it is not: python -m templates.lock."""
    assert canonical(re.split(r"[\[>=<]", requirement)[0]) in LOCKED


def test_it_has_the_releases_that_the_tests_ran_with() -> None:
    assert {name: CONSTRAINTS.get(name) for name in LOCKED} == LOCKED


def test_it_carries_no_pipeline() -> None:
    assert LOCKED.keys().isdisjoint(HEAVY)


def test_a_comment_is_scored_with_what_is_in_the_image() -> None:
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
    assert ended.stdout.strip() == "200"


def test_all_that_is_copied_is_laid_out() -> None:
    sources = {source for value in values(TEXT, "COPY") for source in value.split()[:-1]}
    assert sources <= {*context.CONTEXT_FILES, "mltox.tar.gz"}


def test_nobody_is_let_in_by_the_image_itself() -> None:
    [entry] = values(TEXT, "ENTRYPOINT")
    assert "--open" not in entry and "--keys" not in entry
    assert values(TEXT, "USER") == ["1000"]
