"""What holds of every image of ours. No Docker is needed: the files are read, and linted."""

from __future__ import annotations

import re
import subprocess
import sysconfig
from pathlib import Path

import pytest

from templates import context
from tests.templates.dockerfiles import FILES, FOLDER, images, instructions, values

OURS = (FOLDER / "Dockerfile").read_text()
HADOLINT = Path(sysconfig.get_path("scripts"), "hadolint")

each_file = pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])


def test_continued_lines_and_stages_are_read() -> None:
    stages = "# a\nFROM x:1 AS y\nFROM --platform=linux/amd64 z:2\nCOPY --from=y c d"
    assert instructions("RUN a \\\n # no\n  && b") == [("RUN", "a && b")]
    assert list(images(stages)) == ["x:1", "z:2"]
    assert list(images("FROM a:1\nCOPY --from=b:2 c d")) == ["a:1", "b:2"]


@each_file
def test_the_linter_has_nothing_to_say(file: Path) -> None:
    lint = subprocess.run([HADOLINT, "--no-color", file], capture_output=True, text=True)
    assert (lint.stdout, lint.returncode) == ("", 0)


@each_file
def test_images_are_named_with_their_release(file: Path) -> None:
    for image in images(file.read_text()):
        tag = image.rpartition("/")[2].partition(":")[2]
        assert re.search(r"\d", tag) and tag != "latest", image


@each_file
def test_it_does_not_run_as_root_where_the_platform_lets_it(file: Path) -> None:
    users = values(file.read_text(), "USER")
    if file.name == "Dockerfile":  # Dataflow's workers write where only root may
        assert users == []
    else:
        assert users[-1:] not in ([], ["0"], ["root"])


def test_workers_start_the_harness_and_the_service_finds_the_launcher() -> None:
    """A worker's container is started with the harness's arguments (--id, --logging_endpoint, …),
    which the launcher does not know; the template service starts the launcher by its path."""
    assert values(OURS, "ENTRYPOINT") == ['["/opt/apache/beam/boot"]']
    copied = [value.split()[-1] for value in values(OURS, "COPY")]
    assert {"/opt/apache/beam", "/opt/google/dataflow/python_template_launcher"} <= {*copied}
    assert "FLEX_TEMPLATE_PYTHON_PY_FILE=/template/launcher.py" in values(OURS, "ENV")
    assert values(OURS, "CMD") == []


@each_file
def test_it_downloads_no_files_and_holds_no_secret(file: Path) -> None:
    text = file.read_text()
    assert values(text, "ADD") == []
    assert not re.search(r"\b(curl|wget)\b", text)
    for value in [*values(text, "ENV"), *values(text, "ARG")]:
        assert not re.search(r"(KEY|TOKEN|SECRET|PASSWORD)\w*=\S", value, re.IGNORECASE), value


def test_the_harness_is_that_of_our_beam() -> None:
    (beam,) = re.findall(
        r"apache-beam\[gcp\]==([\d.]+)", (FOLDER.parent / "pyproject.toml").read_text()
    )
    assert f"apache/beam_python3.11_sdk:{beam}" in images(OURS)


def test_all_that_is_copied_is_laid_out() -> None:
    there = {*context.CONTEXT_FILES, "mltox.tar.gz"}
    for value in values(OURS, "COPY"):
        if not value.startswith("--from="):
            *sources, _ = value.replace("${REQUIREMENTS}", "requirements.txt").split()
            assert set(sources) <= there


def test_every_requirement_is_installed_by_its_hash() -> None:
    for value in values(OURS, "RUN"):
        for command in value.split("&&"):
            if "pip install" in command:
                assert "--require-hashes" in command or "mltox.tar.gz" in command
