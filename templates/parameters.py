"""The parameters of a launch: each may be given as a variable of the same name in capitals."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from templates.target import Target, TargetError, need

PARAMETERS_FOLDER = Path(__file__).parent / "metadata"
LIST_DELIMITERS = "~^|;!@%"


def known_parameters(pipeline: str) -> list[dict[str, Any]]:
    document = json.loads((PARAMETERS_FOLDER / f"{pipeline}.json").read_text(encoding="utf-8"))
    return list(document["parameters"])


def provisioned(pipeline: str, target: Target) -> dict[str, str]:
    """What `mltox provision` has made for the pipeline."""
    names = target.names
    made = {"warehouse": names.warehouse}
    if pipeline != "forecast":
        made["author_key_secret"] = f"{names.secret('author-key')}/versions/latest"
    if pipeline == "streaming":
        made["input_subscription"] = names.subscription("posts")
        made["dead_letter_topic"] = names.topic("posts-dead-letters")
        made["alerts_topic"] = names.topic("alerts")
    return made


def parameters_of(pipeline: str, target: Target, variables: Mapping[str, str]) -> dict[str, str]:
    """Raises TargetError where one that must be given is missing, or has a form that Dataflow would
    refuse some minutes later."""
    known = known_parameters(pipeline)
    defaults = provisioned(pipeline, target)
    chosen = {
        name: variables.get(name.upper()) or defaults.get(name, "")
        for name in (parameter["name"] for parameter in known)
    }
    need(
        {name.upper(): value for name, value in chosen.items()},
        [each["name"].upper() for each in known if not each["isOptional"]],
    )
    for each in known:
        value = chosen[each["name"]]
        if value and not all(re.search(regex, value) for regex in each.get("regexes", ())):
            raise TargetError(f"{each['name'].upper()}: {value!r} is not: {each['helpText']}")
    return {name: value for name, value in chosen.items() if value}


def flag(parameters: Mapping[str, str]) -> str:
    """The value of gcloud's --parameters: with another delimiter where a value has a comma, see
    `gcloud topic escaping`. Raises TargetError where none is left."""
    pairs = [f"{name}={value}" for name, value in parameters.items()]
    text = "".join(pairs)
    if "," not in text and not text.startswith("^"):
        return ",".join(pairs)
    for delimiter in LIST_DELIMITERS:
        if delimiter not in text:
            return f"^{delimiter}^{delimiter.join(pairs)}"
    raise TargetError(
        f"values hold all of {LIST_DELIMITERS} at once; put topics into a TOPICS_FILE"
    )
