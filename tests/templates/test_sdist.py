"""What the image is built from: the source distribution holds all that runs, and the Dockerfile's
install steps make an environment in which it runs."""

from __future__ import annotations

import json
import shlex
import subprocess
import tarfile
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest

from templates import context
from tests.templates.dockerfiles import FOLDER, values

DOCKERFILE = (FOLDER / "Dockerfile").read_text()
EXTRAS = ("torch", "transformers", "plotly", "sklearn", "onnx", "pytest", "hypothesis")
LOOK = """
import importlib.util, json, sys
import pipelines.graph.build, pipelines.runs.stream, pipelines.runs.backfill.local
import pipelines.runs.forecast
from mltox.scoring import DEFAULT_BUNDLE, Scorer
from mltox.warehouse.views import VIEWS
import pipelines
print(json.dumps({
    "where": pipelines.__file__,
    "installed": [name for name in sys.argv[1:] if importlib.util.find_spec(name)],
    "score": Scorer(DEFAULT_BUNDLE).score(["you are a stupid idiot"])[0].toxicity,
    "views": len(VIEWS),
}))
"""


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("context") / "template"
    folder.mkdir()
    (folder / "left over").touch()
    context.lay_out(folder)
    return folder


def test_a_build_sees_what_is_copied_and_nothing_else(laid_out: Path) -> None:
    assert {path.name for path in laid_out.iterdir()} == {*context.CONTEXT_FILES, "mltox.tar.gz"}


def test_bundle_and_views_are_inside(laid_out: Path) -> None:
    with tarfile.open(laid_out / "mltox.tar.gz") as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}
    root = FOLDER.parent
    for pattern in ("mltox/scoring/bundles/default/*", "mltox/warehouse/views/*.sql"):
        files = {str(path.relative_to(root)) for path in root.glob(pattern)}
        assert files and files <= inside
    assert not [name for name in inside if name.startswith(("tests/", "benchmarks/"))]


def install_steps() -> Iterator[list[str]]:
    """The RUN instructions that install, as argument lists without the options of an image."""
    for value in values(DOCKERFILE, "RUN"):
        for command in value.replace("${REQUIREMENTS}", "requirements.txt").split("&&"):
            words = shlex.split(command)
            if words[0] in ("pip", "python"):
                yield words


@pytest.mark.drill
def test_the_install_steps_make_an_environment_that_works(laid_out: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    programs = tmp_path / "env" / "bin"
    for program, *words in install_steps():
        subprocess.run([str(programs / program), *words], cwd=laid_out, check=True)
    freeze = [str(programs / "pip"), "list", "--format=json"]
    listed = json.loads(subprocess.run(freeze, capture_output=True, check=True).stdout)
    asked = (FOLDER / "requirements.txt").read_text().count("==")
    assert len({each["name"] for each in listed} - {"pip", "setuptools", "mltox"}) == asked
    look = subprocess.run(
        [str(programs / "python"), "-I", "-c", LOOK, *EXTRAS],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(look.stdout.splitlines()[-1])
    assert Path(found["where"]).is_relative_to(tmp_path)
    assert found["installed"] == []
    assert found["score"] > 0.5
    assert found["views"] > 0
