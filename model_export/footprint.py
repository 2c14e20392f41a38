"""Speed, memory and size of a bundle, measured in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_MEASURE = """
import json, sys, time
from mltox.scoring import Scorer
texts = json.load(sys.stdin)
scorer = Scorer(sys.argv[1], cache_size=0)
scorer.score(texts[:64], ["en"] * 64)
began = time.perf_counter()
scorer.score(texts, ["en"] * len(texts))
seconds = time.perf_counter() - began
# Not ru_maxrss: a new process inherits that of the one that started it.
status = open("/proc/self/status").read()
peak = int(status.partition("VmHWM:")[2].split()[0]) / 1024
print(json.dumps([len(texts) / seconds, peak]))
"""


class Footprint(NamedTuple):
    texts_per_second: float
    peak_mb: float
    """Resident memory of the process that scored, all libraries included."""
    bundle_mb: float


def footprint(folder: Path, texts: Sequence[str]) -> Footprint:
    """Scores distinct `texts`, all taken as English, on all cores."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, str(folder)],
        input=json.dumps(list(texts)),
        capture_output=True,
        text=True,
        check=True,
    )
    speed, peak = json.loads(done.stdout)
    size = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
    return Footprint(speed, peak, size / 1e6)
