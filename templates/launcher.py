"""What Dataflow starts to launch a template: the pipeline that the image was built for.

The image names its pipeline in MLTOX_PIPELINE and itself in MLTOX_IMAGE. The launch is over when
the job is handed in.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping, Sequence

MODULES: Mapping[str, str] = {
    "streaming": "pipelines.runs.stream",
    "backfill": "pipelines.runs.backfill.local",
    "forecast": "pipelines.runs.forecast",
}
# A worker runs one process a core, so that more threads of the model would get into each
# other's way.
SCORING = {"threads": "1"}
DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "streaming": SCORING,
    "backfill": SCORING,
    "forecast": {},
}
"""Of the templates, where the pipeline's own suit a laptop."""


def with_defaults(argv: Sequence[str], pipeline: str, image: str | None) -> list[str]:
    """The arguments, and before them those that were left to the template."""
    wanted = dict(DEFAULTS[pipeline])
    if image:
        wanted["sdk_container_image"] = image
    given = {argument.partition("=")[0].removeprefix("--") for argument in argv}
    added = [f"--{name}={value}" for name, value in wanted.items() if name not in given]
    return [*added, *argv]


def main(argv: Sequence[str], environment: Mapping[str, str]) -> int:
    pipeline = environment.get("MLTOX_PIPELINE", "")
    if pipeline not in MODULES:
        known = ", ".join(MODULES)
        print(f"launcher: MLTOX_PIPELINE is {pipeline!r}, none of {known}", file=sys.stderr)
        return 2
    module = importlib.import_module(MODULES[pipeline])
    code: int = module.main(with_defaults(argv, pipeline, environment.get("MLTOX_IMAGE")))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
