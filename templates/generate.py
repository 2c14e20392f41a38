"""The templates' metadata from the pipelines' options: `python -m templates.generate`.

Names, types, help, choices and defaults come from `pipelines.options`, a group from each class of
options. Here stands only what an option cannot say: which of them a template has, and which kind of
resource Dataflow's form should offer.

Fields: ParameterMetadata of the Dataflow API,
https://cloud.google.com/dataflow/docs/reference/rest/v1b3/projects.locations.flexTemplates
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.options import (
    AuthorOptions,
    DetectionOptions,
    ForecastOptions,
    InputOptions,
    ModelOptions,
    StoreOptions,
    StreamOptions,
    TopicOptions,
    WarehouseOptions,
)
from templates.launcher import DEFAULTS

METADATA_FOLDER = Path(__file__).parent / "metadata"
NAME, FILE = r"[^/\s]+", r"gs://[^/\s]+/.+"
WHOLE, DECIMAL, PROBABILITY = r"[0-9]+", r"[0-9]+(\.[0-9]+)?", r"0?\.[0-9]+|1(\.0+)?"
HERE_ALONE, THERE_ALONE = "On one machine: ", "On Dataflow: "
"""How the help of an option begins that matters in one place alone. (WriteOptions are left out of
the templates too: what they offer needs a JRE, which the image does not have.)"""


@dataclass(frozen=True)
class ParameterKind:
    """What Dataflow's form offers for a parameter, what it takes, and its help where the option's
    own speaks of this machine."""

    param_type: str
    regex: str
    help: str = ""


KINDS: Mapping[str, ParameterKind] = {
    "input": ParameterKind(
        "GCS_READ_FILE",
        FILE,
        "Glob of files of posts, such as gs://BUCKET/posts/**.jsonl.gz: JSONL, JSON, CSV, TSV or "
        "Parquet, also .gz, .bz2 or .zst.",
    ),
    "topics_file": ParameterKind("GCS_READ_FILE", FILE),
    "bundle": ParameterKind(
        "GCS_READ_FOLDER", FILE, "Folder of a model bundle. Default: the one in the image."
    ),
    "columns": ParameterKind("TEXT", r"\w+=[^,=]+(,\w+=[^,=]+)*"),
    "threshold": ParameterKind("NUMBER", PROBABILITY),
    "author_key_secret": ParameterKind("TEXT", rf"projects/{NAME}/secrets/{NAME}/versions/{NAME}"),
    "warehouse": ParameterKind(
        "TEXT",
        r"bq://([a-z0-9.-]+:)?[a-z][a-z0-9-]*[a-z0-9]\.\w+",
        "Where the tables are: bq://PROJECT.DATASET.",
    ),
    "input_subscription": ParameterKind(
        "PUBSUB_SUBSCRIPTION", rf"projects/{NAME}/subscriptions/{NAME}"
    ),
    "dead_letter_topic": ParameterKind("PUBSUB_TOPIC", rf"projects/{NAME}/topics/{NAME}"),
    "alerts_topic": ParameterKind("PUBSUB_TOPIC", rf"projects/{NAME}/topics/{NAME}"),
}
PARENTS: Mapping[str, str] = {"keywords": "topic"}
"""Shown once the other has a value."""


@dataclass(frozen=True)
class Template:
    name: str
    description: str
    groups: tuple[type[PipelineOptions], ...]
    required: frozenset[str]
    streaming: bool = False
    defaults: Mapping[str, str] = field(default_factory=dict)


TEMPLATES: Mapping[str, Template] = {
    "streaming": Template(
        "mltox streaming",
        "Scores posts from Pub/Sub as they come, rolls them up by topic and hour, flags and "
        "explains anomalous hours, and writes all of it to BigQuery.",
        (
            StreamOptions,
            WarehouseOptions,
            StoreOptions,
            AuthorOptions,
            TopicOptions,
            ModelOptions,
            DetectionOptions,
        ),
        frozenset({"input_subscription", "warehouse", "author_key_secret"}),
        streaming=True,
        defaults=DEFAULTS["streaming"],
    ),
    "backfill": Template(
        "mltox backfill",
        "Scores files of posts on Cloud Storage, rolls them up by topic and hour, and writes them "
        "to BigQuery. A second run changes nothing.",
        (
            InputOptions,
            WarehouseOptions,
            StoreOptions,
            AuthorOptions,
            TopicOptions,
            ModelOptions,
            DetectionOptions,
        ),
        frozenset({"input", "warehouse", "author_key_secret"}),
        defaults=DEFAULTS["backfill"],
    ),
    "forecast": Template(
        "mltox forecast",
        "Forecasts the coming week of every topic from the hours in BigQuery, and writes the "
        "forecasts and how accurate they were.",
        (WarehouseOptions, ForecastOptions),
        frozenset({"warehouse"}),
        defaults=DEFAULTS["forecast"],
    ),
}
WORKERS = (
    {
        "name": "sdk_container_image",
        "label": "SDK container image",
        "helpText": "Image of the workers. Default: the template's own.",
        "isOptional": True,
        "paramType": "TEXT",
        "groupName": "Workers",
    },
    {
        "name": "number_of_worker_harness_threads",
        "label": "Threads of a worker process",
        "helpText": "How many bundles a process works on at once. Default: Dataflow's choice.",
        "isOptional": True,
        "regexes": [f"^({WHOLE})$"],
        "paramType": "NUMBER",
        "groupName": "Workers",
    },
)
"""Beam's own options that a launch may have to name."""


def options_in(group: type[PipelineOptions]) -> Iterator[argparse.Action]:
    parser = argparse.ArgumentParser(add_help=False)
    group._add_argparse_args(parser)
    for action in parser._actions:
        if not (action.help or "").startswith(HERE_ALONE):
            yield action


def parameter_kind(action: argparse.Action) -> ParameterKind | None:
    if action.dest in KINDS:
        return KINDS[action.dest]
    if action.choices:
        return ParameterKind("ENUM", "|".join(map(re.escape, action.choices)))
    numbers = {int: WHOLE, float: DECIMAL}
    number = numbers.get(action.type) if isinstance(action.type, type) else None
    return ParameterKind("NUMBER", number) if number else None


def help_of(action: argparse.Action, shows_default: bool) -> str:
    """The option's help as a form needs it: a default has its own field, nothing is repeated."""
    text = (action.help or "") % {"default": action.default}
    text = re.sub(r"\s*May be given several times.*?\.(?=\s|$)", "", text)
    if shows_default:
        text = re.sub(r"\s*Default: .*?(\.(?=\s|$)|$)", "", text)
    text = text.removeprefix(THERE_ALONE)
    return text[:1].upper() + text[1:]


def metadata_entry(
    action: argparse.Action, group: type[PipelineOptions], template: Template
) -> dict[str, Any]:
    name = action.dest
    kind = parameter_kind(action)
    required = name in template.required
    default = template.defaults.get(name, action.default)
    made: dict[str, Any] = {
        "name": name,
        "label": name.replace("_", " ").capitalize(),
        "helpText": (kind and kind.help) or help_of(action, required or default is not None),
        "isOptional": not required,
        "paramType": kind.param_type if kind else "TEXT",
    }
    if kind:
        made["regexes"] = [f"^({kind.regex})$"]
    if action.choices:
        made["enumOptions"] = [{"value": choice, "label": choice} for choice in action.choices]
    if default is not None and not required:
        made["defaultValue"] = f"{default:g}" if isinstance(default, float) else str(default)
    if name in PARENTS:
        made["parentName"] = PARENTS[name]
    else:
        made["groupName"] = str(group.__doc__).partition("\n")[0].rstrip(".")
    return made


def metadata(template: Template) -> dict[str, Any]:
    parameters = [
        metadata_entry(action, group, template)
        for group in template.groups
        for action in options_in(group)
    ]
    made: dict[str, Any] = {"name": template.name, "description": template.description}
    if template.streaming:
        # An hour would count a post twice that is delivered twice.
        made |= {"streaming": True, "supportsExactlyOnce": True, "supportsAtLeastOnce": False}
    return {**made, "parameters": [*parameters, *WORKERS]}


def text_of(template: Template) -> str:
    return json.dumps(metadata(template), indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    METADATA_FOLDER.mkdir(exist_ok=True)
    for name, template in TEMPLATES.items():
        (METADATA_FOLDER / f"{name}.json").write_text(text_of(template), encoding="utf-8")
        print(f"templates/metadata/{name}.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
