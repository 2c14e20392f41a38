"""The Dataflow job's graph, offline: the names of its steps, and how its keys are encoded.

Dataflow matches the steps of an update to those of the running job by name. A name that is gone
takes its state with it (hours that are open, posts seen, what the detectors learnt), unless the
update says where it went (--transform_name_mapping).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions, StandardOptions
from apache_beam.pipeline import AppliedPTransform, PipelineVisitor
from apache_beam.portability.api import beam_runner_api_pb2 as runner_api
from apache_beam.portability.common_urns import StandardPTransforms

from pipelines.runs.stream import subscribe
from tests.pipelines.streams import SETTINGS

GOLDEN = Path(__file__).parents[2] / "golden" / "streaming_steps.txt"
FLAGS = [
    "--runner=DataflowRunner",
    "--dry_run=true",
    "--no_auth",
    "--project=some-project",
    "--region=europe-west1",
    "--temp_location=gs://some-bucket/temp",
    "--input_subscription=projects/some-project/subscriptions/posts",
    "--warehouse=bq://some-project.mltox",
]
TOPICS = [
    "--dead_letter_topic=projects/some-project/topics/letters",
    "--alerts_topic=projects/some-project/topics/alerts",
]
GROUPS = {
    StandardPTransforms.Primitives.GROUP_BY_KEY.urn,
    StandardPTransforms.Composites.COMBINE_PER_KEY.urn,
}
STABLE_KEYS = {"string_utf8:v1", "varint:v1"}


def dataflow_pipeline(*more: str) -> beam.Pipeline:
    options = PipelineOptions([*FLAGS, *more])
    options.view_as(StandardOptions).streaming = True
    pipeline = beam.Pipeline(options=options)
    subscribe(pipeline, options, SETTINGS)
    return pipeline


class Steps(PipelineVisitor):
    def __init__(self) -> None:
        self.names: list[str] = []

    def visit_transform(self, transform_node: AppliedPTransform) -> None:
        self.names.append(transform_node.full_label)


def step_names(*more: str) -> list[str]:
    steps = Steps()
    dataflow_pipeline(*more).visit(steps)
    return steps.names


@pytest.fixture(scope="module")
def components() -> runner_api.Components:
    return dataflow_pipeline().to_runner_api().components


def test_steps_have_the_names_of_the_running_jobs() -> None:
    """To renew: python -m tests.pipelines.graph.test_streaming_steps > FILE."""
    assert step_names() == GOLDEN.read_text().splitlines()


def test_names_are_the_same_in_every_build() -> None:
    names = step_names()
    assert len(set(names)) == len(names)
    assert names == step_names()


def test_the_job_can_be_made_without_a_network() -> None:
    """All that a launch does but for sending it: every step can be pickled and described."""
    job = dataflow_pipeline(*TOPICS).run().job.proto
    assert job.type_.name == "JOB_TYPE_STREAMING"


def test_topics_add_steps_and_rename_none() -> None:
    """So a running job can be updated to publish as well."""
    before, names = step_names(), step_names(*TOPICS)
    added = [name for name in names if name not in before]
    assert [name for name in names if name not in added] == before
    assert {name.partition("/")[0] for name in added} == {"PublishDeadLetters", "PublishAlerts"}


def coder_of(components: runner_api.Components, coder_id: str) -> Iterator[str]:
    """The leaves of a coder, without Beam's prefix."""
    coder = components.coders[coder_id]
    if not coder.component_coder_ids:
        yield coder.spec.urn.removeprefix("beam:coder:")
    for part in coder.component_coder_ids:
        yield from coder_of(components, part)


def keeps_state(transform: runner_api.PTransform) -> bool:
    if transform.spec.urn == StandardPTransforms.Primitives.PAR_DO.urn:
        return bool(runner_api.ParDoPayload.FromString(transform.spec.payload).state_specs)
    return transform.spec.urn in GROUPS


def test_what_is_kept_is_kept_under_keys_of_plain_types(components: runner_api.Components) -> None:
    """Strings and integers: a running job finds its state again by the bytes of the key. (The
    buffers in Beam's own BigQuery sink are emptied when a bundle ends.)"""
    keys = {}
    for transform in components.transforms.values():
        if keeps_state(transform) and not transform.unique_name.startswith("Write_"):
            (input_id,) = transform.inputs.values()
            pair = components.coders[components.pcollections[input_id].coder_id]
            keys[transform.unique_name] = set(coder_of(components, pair.component_coder_ids[0]))
    assert {name for name, leaves in keys.items() if not leaves <= STABLE_KEYS} == set()
    assert {name.partition("/")[0] for name in keys} == {
        "LetGoTooLate",
        "Deduplicate",
        "Aggregate",
        "Detect",
    }


if __name__ == "__main__":
    sys.stdout.write("\n".join(step_names()) + "\n")
