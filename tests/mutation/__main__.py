"""`make mutate`: mutants of what decides, and how many of them the tests notice.

    python -m tests.mutation [--each 12] [--seed 1] [--only mltox/detection] [--least 85]

Of every module a sample of its mutants is tried, each against the tests of its room, in a process
of its own. A mutant that lives is printed with its line: a test is missing there, or the change
makes no difference. The exit code is 1 where fewer than --least per cent died.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.mutation.operators import Mutant, mutants
from tests.mutation.plugin import MODULE, SOURCE

ROOT = Path(__file__).parents[2]
ROOMS = {
    "mltox/detection": ("tests/mltox/detection",),
    "mltox/forecasting": ("tests/mltox/forecasting",),
    "mltox/scoring": ("tests/mltox/scoring",),
    "pipelines/transforms/deduplicate.py": ("tests/pipelines/transforms/test_deduplicate.py",),
}
"""What decides, and the tests that hold it."""
TIMEOUT = 180


class Tried(NamedTuple):
    path: Path
    mutant: Mutant
    died: bool


def modules(only: str | None) -> list[tuple[Path, tuple[str, ...]]]:
    found = []
    for room, tests in ROOMS.items():
        place = ROOT / room
        paths = sorted(place.rglob("*.py")) if place.is_dir() else [place]
        found += [(path, tests) for path in paths if path.stat().st_size]
    return [(path, tests) for path, tests in found if not only or only in str(path)]


def nearest_first(path: Path, tests: tuple[str, ...]) -> list[str]:
    """The files of these tests, the module's own before the others: most mutants die early."""
    files = [
        file
        for place in map(ROOT.joinpath, tests)
        for file in (sorted(place.rglob("test_*.py")) if place.is_dir() else [place])
    ]
    files.sort(key=lambda file: path.stem not in file.stem)
    return [str(file) for file in files]


def died(path: Path, mutant: Mutant, tests: tuple[str, ...]) -> bool:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    with tempfile.NamedTemporaryFile("w", suffix=".py", encoding="utf-8") as file:
        file.write(mutant.source)
        file.flush()
        environment = {**os.environ, MODULE: name, SOURCE: file.name, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "tests.mutation.plugin",
                   "-p", "no:cacheprovider", *nearest_first(path, tests)]  # fmt: skip
        try:
            ended = subprocess.run(
                command,
                env=environment,
                cwd=ROOT,
                capture_output=True,
                timeout=TIMEOUT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return True
    return ended.returncode != 0


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--each", type=int, default=12, help="mutants of a module (%(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", metavar="PATH", help="modules whose path holds this")
    parser.add_argument("--least", type=float, default=85.0, help="per cent (%(default)s)")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once (%(default)s)")
    options = parser.parse_args()
    chance = random.Random(options.seed)
    todo = []
    for path, tests in modules(options.only):
        every = list(mutants(path.read_text(encoding="utf-8")))
        sample = sorted(chance.sample(every, min(options.each, len(every))))
        todo += [(path, mutant, tests) for mutant in sample]

    def run(job: tuple[Path, Mutant, tuple[str, ...]]) -> Tried:
        tried = Tried(job[0], job[1], died(*job))
        if not tried.died:
            where = f"{tried.path.relative_to(ROOT)}:{tried.mutant.line}"
            print(f"lives  {where}  {tried.mutant.change}", flush=True)
        return tried

    with ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(run, todo))
    if not results:
        print("no mutants", file=sys.stderr)
        return 2
    for room in ROOMS:
        of = [each for each in results if str(each.path).startswith(str(ROOT / room))]
        if of:
            print(f"{room:<40}{sum(each.died for each in of):>5} of {len(of)}")
    share = 100 * sum(each.died for each in results) / len(results)
    print(f"{share:.1f} % of {len(results)} mutants died")
    return 0 if share >= options.least else 1


if __name__ == "__main__":
    sys.exit(main())
