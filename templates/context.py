"""Lays out the folder that the image is built from: `python -m templates.context`.

It holds no more than the Dockerfile copies, so that a build sees nothing of a checkout's secrets,
models or data, and the same folder serves Docker, Cloud Build and the tests.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONTEXT_FOLDER = Path("build", "template")
CONTEXT_FILES = (
    "Dockerfile",
    "cloudbuild.yaml",
    "cloudbuild-ingest.yaml",
    "ingest.Dockerfile",
    "launcher.py",
    "requirements.txt",
    "requirements-build.txt",
    "requirements-gpu.txt",
    "requirements-ingest.txt",
    "requirements-serve.txt",
    "serve.Dockerfile",
)


def make_sdist(target: Path) -> None:
    """The source distribution of mltox, as a tar.gz of a name that is known beforehand."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            [sys.executable, "setup.py", "--quiet", "sdist", "--dist-dir", folder],
            cwd=ROOT,
            check=True,
        )
        (made,) = Path(folder).glob("mltox-*.tar.gz")
        shutil.copyfile(made, target)


def lay_out(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in CONTEXT_FILES:
        shutil.copyfile(ROOT / "templates" / name, folder / name)
    make_sdist(folder / "mltox.tar.gz")


def main() -> int:
    lay_out(ROOT / CONTEXT_FOLDER)
    print(CONTEXT_FOLDER)
    return 0


if __name__ == "__main__":
    sys.exit(main())
