"""`make template`, `run-…`, `update-streaming`, `drain`: the commands that they run."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from templates import commands
from templates.launch import LAUNCH_VERBS, main
from templates.launcher import MODULES
from templates.parameters import flag
from templates.target import TargetError

ROOT = Path(__file__).parents[2]
GIVEN = {"PROJECT": "some-project", "REGION": "europe-west1"}
FILES = {"INPUT": "gs://some-bucket/posts/*.jsonl.gz"}


def options_of(command: commands.Command) -> dict[str, str]:
    pairs = [word.partition("=") for word in command if word.startswith("--")]
    return {name: value for name, _, value in pairs}


def parameters_of(command: commands.Command) -> dict[str, str]:
    """As `gcloud topic escaping` has it."""
    text, delimiter = options_of(command)["--parameters"], ","
    if text.startswith("^"):
        _, delimiter, text = text.split("^", 2)
    return dict(pair.split("=", 1) for pair in text.split(delimiter))


def test_streaming_is_launched_with_what_provisioning_has_made() -> None:
    (command,) = commands.run("streaming", GIVEN)
    assert command[:5] == ["gcloud", "dataflow", "flex-template", "run", "mltox-streaming"]
    options = options_of(command)
    assert options["--project"] == "some-project"
    assert options["--region"] == "europe-west1"
    template = "gs://some-project-mltox/templates/streaming.json"
    assert options["--template-file-gcs-location"] == template
    account = "mltox-pipeline@some-project.iam.gserviceaccount.com"
    assert options["--service-account-email"] == account
    assert parameters_of(command) == {
        "input_subscription": "projects/some-project/subscriptions/posts",
        "warehouse": "bq://some-project.mltox",
        "author_key_secret": "projects/some-project/secrets/mltox-author-key/versions/latest",
        "dead_letter_topic": "projects/some-project/topics/posts-dead-letters",
        "alerts_topic": "projects/some-project/topics/alerts",
    }


def test_a_variable_of_its_name_sets_a_parameter() -> None:
    chosen = {"BUNDLE": "gs://b/models/v2", "STORE_TEXT": "hashed", "WAREHOUSE": "bq://p-q.other"}
    (command,) = commands.run("streaming", {**GIVEN, **chosen})
    parameters = parameters_of(command)
    assert {name.upper(): parameters[name] for name in ("bundle", "store_text")} | {
        "WAREHOUSE": parameters["warehouse"]
    } == chosen


def test_an_empty_variable_is_not_given() -> None:
    assert commands.run("streaming", {**GIVEN, "BUNDLE": "", "MAX_WORKERS": ""}) == commands.run(
        "streaming", GIVEN
    )


def test_workers_are_chosen_by_the_template_unless_named() -> None:
    (left,) = commands.run("forecast", GIVEN)
    assert "--worker-machine-type" not in options_of(left)
    chosen = {"MACHINE_TYPE": "n2-standard-8", "MAX_WORKERS": "9", "NAME": "nightly"}
    (named,) = commands.run("forecast", {**GIVEN, **chosen})
    assert options_of(named)["--worker-machine-type"] == "n2-standard-8"
    assert options_of(named)["--max-workers"] == "9"
    assert named[4] == "nightly"


def test_commas_and_carets_of_a_value_reach_the_pipeline() -> None:
    words = {"TOPIC": "vote", "KEYWORDS": "election,#vote,prime minister,a~b ^ c"}
    (command,) = commands.run("backfill", {**GIVEN, **FILES, **words})
    assert parameters_of(command)["keywords"] == words["KEYWORDS"]
    assert flag({"a": "1", "b": "2"}) == "a=1,b=2"
    with pytest.raises(TargetError, match="TOPICS_FILE"):
        flag({"a": "1,~^|;!@%"})


def test_an_update_is_the_launch_and_a_word_more() -> None:
    (launched,), (updated,) = commands.run("streaming", GIVEN), commands.update(GIVEN)
    assert updated == [*launched, "--update"]
    (renamed,) = commands.update({**GIVEN, "RENAMED": "Detect=Judge"})
    assert renamed[-1] == "--transform-name-mappings=Detect=Judge"


def test_a_template_is_built_by_cloud_build_and_then_its_files_are_stored() -> None:
    build, *files = commands.build({**GIVEN, "TAG": "v7"})
    assert build[:4] == ["gcloud", "builds", "submit", "build/template"]
    values = options_of(build)["--substitutions"]
    registry = "europe-west1-docker.pkg.dev/some-project/mltox"
    assert values == f"_REGISTRY={registry},_TAG=v7,_REQUIREMENTS=requirements.txt"
    assert [command[4].rpartition("/")[2] for command in files] == [f"{n}.json" for n in MODULES]
    for name, command in zip(MODULES, files, strict=True):
        options = options_of(command)
        assert options["--image"] == f"{registry}/{name}:v7"
        assert (ROOT / options["--metadata-file"]).is_file()
        assert ("--enable-streaming-engine" in options) == (name == "streaming")


def test_docker_builds_the_same_images() -> None:
    given = {**GIVEN, "TAG": "v7", "BUILDER": "docker", "GPU": "1"}
    docker = [command for command in commands.build(given) if command[0] == "docker"]
    pushed = [command[-1] for command in docker if command[1] == "push"]
    assert [image.rpartition("/")[2] for image in pushed] == [f"{name}:v7" for name in MODULES]
    for command in docker:
        if command[1] == "build":
            assert f"--build-arg=IMAGE={options_of(command)['--tag']}" in command
            assert "--build-arg=REQUIREMENTS=requirements-gpu.txt" in command


def test_cloud_build_builds_and_pushes_what_the_template_files_name() -> None:
    document = yaml.safe_load((ROOT / "templates" / "cloudbuild.yaml").read_text())
    values = {"_REGISTRY": "r", "_TAG": "t", "_REQUIREMENTS": "requirements.txt"}

    def filled(text: str) -> str:
        for name, value in values.items():
            text = text.replace(f"${{{name}}}", value)
        assert "$" not in text
        return text

    built = {}
    for step in document["steps"]:
        arguments = [filled(argument) for argument in step["args"]]
        tag = next(word for word in arguments if word.startswith("--tag="))[len("--tag=") :]
        built[tag] = [word for word in arguments if word.startswith("--build-arg=")]
    assert list(built) == [f"r/{name}:t" for name in MODULES]
    assert [filled(image) for image in document["images"]] == list(built)
    for name, image in zip(MODULES, built, strict=True):
        assert set(built[image]) == {
            f"--build-arg=PIPELINE={name}",
            f"--build-arg=IMAGE={image}",
            "--build-arg=REQUIREMENTS=requirements.txt",
        }


@pytest.mark.parametrize("verb", LAUNCH_VERBS)
def test_what_is_missing_is_told_in_one_line(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([verb], {"REGION": "europe-west1", "TAG": "v7", "DRY_RUN": "1"}) == 2
    said = capsys.readouterr()
    assert said.err == f"{verb}: PROJECT must be given: make … PROJECT=…\n"
    assert said.out == ""


@pytest.mark.parametrize(
    ("verb", "more", "said"),
    [
        ("run-backfill", {}, "INPUT must be given"),
        ("run-backfill", {"INPUT": "posts.jsonl"}, "INPUT: 'posts.jsonl' is not: Glob of files"),
        ("run-streaming", {"THRESHOLD": "7"}, "THRESHOLD: '7' is not: Toxicity from which"),
        ("template", {"BUILDER": "podman"}, "BUILDER is 'podman', none of cloud, docker"),
        ("template", {"GPU": "2"}, "GPU is '2'"),
    ],
)
def test_a_slip_is_told_before_anything_runs(
    verb: str, more: Mapping[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb], {**GIVEN, "TAG": "v7", "DRY_RUN": "1", **more}) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("verb", LAUNCH_VERBS)
def test_a_dry_run_prints_commands_and_runs_none(
    verb: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert main([verb], {**GIVEN, **FILES, "TAG": "v7", "DRY_RUN": "1"}) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {shlex.split(line)[0] for line in lines} <= {"gcloud", sys.executable}


def program(folder: Path, name: str, script: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_drain_finds_the_job_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    program(tmp_path, "gcloud", 'case "$*" in *list*) echo 2026-id;; *) echo "ran $*";; esac')
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert main(["drain"], GIVEN) == 0
    *_, printed, ran = capfd.readouterr().out.splitlines()
    assert printed.startswith("gcloud dataflow jobs drain 2026-id")
    assert f"gcloud {ran.removeprefix('ran ')}" == printed


def test_drain_does_not_guess(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    program(tmp_path, "gcloud", "true")
    assert main(["drain"], GIVEN) == 2
    assert "no job of this name runs; give JOB=ID" in capfd.readouterr().err
    program(tmp_path, "gcloud", "echo one; echo other")
    assert main(["drain"], GIVEN) == 2
    assert "jobs: one, other; give JOB=ID" in capfd.readouterr().err


def test_a_command_that_fails_ends_it_with_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "gcloud", "exit 7")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert main(["run-streaming"], GIVEN) == 7


def test_a_program_that_is_missing_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert main(["run-streaming"], GIVEN) == 2
    assert capsys.readouterr().err == "run-streaming: gcloud is not installed\n"


@pytest.mark.parametrize("verb", LAUNCH_VERBS)
def test_make_has_a_target_for_each(verb: str) -> None:
    told = subprocess.run(
        ["make", "--no-print-directory", "--dry-run", verb],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.splitlines()[-1].endswith(f"python -m templates.launch {verb}")
