"""The commands of docker and gcloud that build, launch, update and drain, as argument lists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from templates.context import CONTEXT_FOLDER
from templates.launcher import MODULES
from templates.parameters import flag, parameters_of
from templates.target import Target, TargetError, need

Command = Sequence[str]

MACHINE_TYPE = "n2-standard-2"
MAX_WORKERS: Mapping[str, str] = {"streaming": "5", "backfill": "20", "forecast": "2"}
REQUIREMENTS: Mapping[str, str] = {"": "requirements.txt", "1": "requirements-gpu.txt"}


def build(variables: Mapping[str, str]) -> list[Command]:
    """Images of all three, by Cloud Build or BUILDER=docker, then a template file of each."""
    target = Target.of(variables)
    need(variables, ("TAG",))
    builder = variables.get("BUILDER") or "cloud"
    builders = {"cloud": by_cloud_build, "docker": by_docker}
    if builder not in builders:
        raise TargetError(f"BUILDER is {builder!r}, none of {', '.join(builders)}")
    gpu = variables.get("GPU", "")
    if gpu not in REQUIREMENTS:
        raise TargetError(f"GPU is {gpu!r}; it is 1 or not given")
    return [
        *builders[builder](target, variables["TAG"], REQUIREMENTS[gpu]),
        *(template_file(target, pipeline, variables["TAG"]) for pipeline in MODULES),
    ]


def by_cloud_build(target: Target, tag: str, requirements: str) -> list[Command]:
    values = f"_REGISTRY={target.registry},_TAG={tag},_REQUIREMENTS={requirements}"
    return [
        [
            *(
                "gcloud",
                "builds",
                "submit",
                str(CONTEXT_FOLDER),
                f"--config={CONTEXT_FOLDER / 'cloudbuild.yaml'}",
            ),
            *(f"--substitutions={values}", f"--project={target.project}"),
        ]
    ]


def by_docker(target: Target, tag: str, requirements: str) -> list[Command]:
    commands: list[Command] = []
    for pipeline in MODULES:
        image = target.image(pipeline, tag)
        arguments = {"PIPELINE": pipeline, "IMAGE": image, "REQUIREMENTS": requirements}
        given = [f"--build-arg={name}={value}" for name, value in arguments.items()]
        commands.append(
            [
                "docker",
                "build",
                "--platform=linux/amd64",
                f"--tag={image}",
                *given,
                str(CONTEXT_FOLDER),
            ]
        )
        commands.append(["docker", "push", image])
    return commands


def template_file(target: Target, pipeline: str, tag: str) -> Command:
    """With the workers that a launch gets if it asks for no others."""
    return [
        *("gcloud", "dataflow", "flex-template", "build", target.template(pipeline)),
        f"--project={target.project}",
        f"--image={target.image(pipeline, tag)}",
        "--sdk-language=PYTHON",
        f"--metadata-file=templates/metadata/{pipeline}.json",
        f"--worker-machine-type={MACHINE_TYPE}",
        f"--max-workers={MAX_WORKERS[pipeline]}",
        f"--service-account-email={target.account}",
        f"--staging-location=gs://{target.staging}/staging",
        f"--temp-location=gs://{target.staging}/temp",
        *(["--enable-streaming-engine"] if pipeline == "streaming" else []),
    ]


def name_of(pipeline: str, variables: Mapping[str, str]) -> str:
    return variables.get("NAME") or f"mltox-{pipeline}"


def run(pipeline: str, variables: Mapping[str, str]) -> list[Command]:
    """What is not given, the template file says."""
    target = Target.of(variables)
    given = {
        "--worker-machine-type": variables.get("MACHINE_TYPE"),
        "--max-workers": variables.get("MAX_WORKERS"),
        "--num-workers": variables.get("NUM_WORKERS"),
        "--additional-experiments": variables.get("EXPERIMENTS"),
    }
    return [
        [
            *("gcloud", "dataflow", "flex-template", "run", name_of(pipeline, variables)),
            f"--project={target.project}",
            f"--region={target.region}",
            f"--template-file-gcs-location={target.template(pipeline)}",
            f"--service-account-email={target.account}",
            *(f"{name}={value}" for name, value in given.items() if value),
            f"--parameters={flag(parameters_of(pipeline, target, variables))}",
        ]
    ]


def update(variables: Mapping[str, str]) -> list[Command]:
    """The running job of the same name goes over into a new one with its state. RENAMED says where
    steps went whose name has changed: OLD=NEW,…"""
    (command,) = run("streaming", variables)
    renamed = variables.get("RENAMED")
    return [[*command, "--update", *([f"--transform-name-mappings={renamed}"] if renamed else [])]]


def running_job(variables: Mapping[str, str]) -> Command:
    """Prints the id of the running job called NAME."""
    target = Target.of(variables)
    return [
        *("gcloud", "dataflow", "jobs", "list", f"--project={target.project}"),
        *(f"--region={target.region}", "--status=active"),
        f"--filter=name={name_of('streaming', variables)}",
        "--format=value(id)",
    ]


def drain(variables: Mapping[str, str], job: str) -> Command:
    """Takes no more messages, works off those that it has, writes the open hours, and ends."""
    target = Target.of(variables)
    return [
        *("gcloud", "dataflow", "jobs", "drain", job),
        *(f"--project={target.project}", f"--region={target.region}"),
    ]
