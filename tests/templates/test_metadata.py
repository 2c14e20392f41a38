"""The templates' metadata: made of the options, of the form that Dataflow takes, and usable."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pipelines.runs.arguments import unknown_to_beam
from templates.generate import METADATA_FOLDER, TEMPLATES, options_in, text_of

SCHEMA = json.loads((METADATA_FOLDER.parent / "metadata.schema.json").read_text())
COMMITTED = {
    path.stem: json.loads(path.read_text()) for path in sorted(METADATA_FOLDER.glob("*.json"))
}
BUILD = ["gcloud", "dataflow", "flex-template", "build", "gs://some-bucket/t.json", "--image=a/b"]

each_template = pytest.mark.parametrize("name", TEMPLATES)


def parameters(name: str) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in COMMITTED[name]["parameters"]}


@each_template
def test_what_is_committed_is_what_the_options_say(name: str) -> None:
    """Where it is not: python -m templates.generate."""
    assert (METADATA_FOLDER / f"{name}.json").read_text(encoding="utf-8") == text_of(
        TEMPLATES[name]
    )


@each_template
def test_it_has_the_form_that_dataflow_takes(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    errors = Draft202012Validator(SCHEMA).iter_errors(COMMITTED[name])
    assert [f"{error.json_path}: {error.message}" for error in errors] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"parameterType": "TEXT"},
        {"paramType": "STRING"},
        {"paramType": "ENUM"},
        {"helpText": ""},
        {"parentName": "topic"},
        {"isOptional": "true"},
    ],
)
def test_a_mistake_in_it_is_found(wrong: dict[str, Any]) -> None:
    document = json.loads(json.dumps(COMMITTED["streaming"]))
    document["parameters"][0] |= wrong
    assert not Draft202012Validator(SCHEMA).is_valid(document)


@each_template
def test_names_are_told_once_and_parents_are_there(name: str) -> None:
    names = [each["name"] for each in COMMITTED[name]["parameters"]]
    assert len(set(names)) == len(names)
    parents = {each.get("parentName") for each in COMMITTED[name]["parameters"]}
    assert parents - {None} <= set(names)


@each_template
def test_defaults_are_taken_by_their_own_patterns(name: str) -> None:
    for each in COMMITTED[name]["parameters"]:
        if "defaultValue" in each:
            assert all(re.search(regex, each["defaultValue"]) for regex in each["regexes"]), each


@each_template
def test_the_pipeline_knows_every_parameter(name: str) -> None:
    for parameter, each in parameters(name).items():
        value = each.get("enumOptions", [{"value": "1"}])[0]["value"]
        assert unknown_to_beam([f"--{parameter}={value}"]) == []


@each_template
def test_every_option_of_a_group_is_there(name: str) -> None:
    wanted = {action.dest for group in TEMPLATES[name].groups for action in options_in(group)}
    assert wanted <= parameters(name).keys()


def test_options_of_a_run_on_one_machine_are_left_out() -> None:
    assert {"port", "disorder_minutes"}.isdisjoint(parameters("streaming"))


def test_help_speaks_of_a_form_and_not_of_a_command_line() -> None:
    for name in TEMPLATES:
        for each in parameters(name).values():
            assert "several times" not in each["helpText"]
            assert "DuckDB" not in each["helpText"]
            assert "On Dataflow" not in each["helpText"]


@pytest.mark.parametrize(
    ("parameter", "good", "bad"),
    [
        ("input_subscription", "projects/p/subscriptions/s", "projects/p/topics/s"),
        ("warehouse", "bq://my-project.mltox", "mltox.duckdb"),
        ("author_key_secret", "projects/p/secrets/s/versions/latest", "a key itself"),
        ("topics_file", "gs://bucket/topics.yaml", "topics.yaml"),
        ("threshold", "0.5", "1.5"),
        ("store_text", "hashed", "some"),
        ("threads", "2", "two"),
    ],
)
def test_a_slip_is_refused_before_the_launch(parameter: str, good: str, bad: str) -> None:
    (regex,) = parameters("streaming")[parameter]["regexes"]
    assert re.search(regex, good)
    assert not re.search(regex, bad)


@each_template
@pytest.mark.skipif(not shutil.which("gcloud"), reason="gcloud is not installed")
def test_gcloud_takes_it(name: str, tmp_path: Path) -> None:
    command = [*BUILD, "--sdk-language=PYTHON", f"--metadata-file={METADATA_FOLDER / name}.json"]
    spec = subprocess.run(
        [*command, "--print-only", "--format=json", "--project=some-project"],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/usr/bin:/bin", "CLOUDSDK_CONFIG": str(tmp_path)},
    )
    taken = json.loads(json.loads(spec.stdout))["metadata"]["parameters"]
    assert [each["name"] for each in taken] == list(parameters(name))
    assert taken == COMMITTED[name]["parameters"]
