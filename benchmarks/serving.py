"""`mltox serve` under load, beside the bare scorer in one run on the same texts and cores.

    python benchmarks/serving.py tweets.parquet --column text

Needs wrk, and the extra [serve]. Prints a table in Markdown: texts a second and CPU time a text of
the scorer alone and of the server at 200 connections (rounds in turn, medians), latency of one
client, latency at half of the load, and the server's memory while `--soak` requests go through.
All texts are distinct, so that no score comes from the memory of recent ones.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from mltox.posts.reading.raw_rows import read_raw_rows
from mltox.scoring.scorer import Scorer

CONNECTIONS = 200
SCRIPT = """\
local calls, at = {}, 0
init = function(args)
  local head = {["Content-Type"] = "application/json"}
  for line in io.lines(args[1]) do
    calls[#calls + 1] = wrk.format("POST", "/v1alpha1/comments:analyze?key=any", head, line)
  end
  at = tonumber(args[2])
  pause = tonumber(args[3])
end
request = function() at = at % #calls + 1; return calls[at] end
done = function(summary, latency, requests)
  io.write(string.format("RESULT %d %d %d %f %f %f\\n", summary.requests, summary.duration,
    summary.errors.status + summary.errors.timeout + summary.errors.read + summary.errors.connect,
    latency:percentile(50), latency:percentile(99), latency.max))
end
"""
DELAY = "delay = function() return math.random(0, 2 * pause) end\n"


class Load(NamedTuple):
    """What wrk saw. Latencies in milliseconds."""

    per_second: float
    errors: int
    p50: float
    p99: float
    longest: float
    requests: int
    cpu_ms: float
    """CPU time of the server a request."""


class Server:
    """`mltox serve` as a process, and what the kernel says of it."""

    def __init__(self, popen: subprocess.Popen[str], port: int, scratch: Path) -> None:
        self.pid = popen.pid
        self.port = port
        self._scratch = scratch
        self._at = 0

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def megabytes(self) -> float:
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.pid}/status").read_text())
        assert found is not None
        return int(found[1]) / 1024

    def load(self, connections: int, seconds: float, pause_ms: float = 0) -> Load:
        """Goes on in the texts where the last load ended."""
        script = self._scratch / "load.lua"
        script.write_text(SCRIPT + (DELAY if pause_ms else ""))
        command = ["wrk", f"-c{connections}", "-t1", f"-d{max(1, round(seconds))}s", "--timeout",
                   "20s", "-s", str(script), f"http://127.0.0.1:{self.port}", "--",
                   str(self._scratch / "calls"), str(self._at), str(pause_ms)]  # fmt: skip
        before = self.cpu_seconds()
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found = re.search(r"RESULT (\d+) (\d+) (\d+) ([\d.]+) ([\d.]+) ([\d.]+)", out)
        assert found is not None, out
        requests, micros, errors = (int(found[number]) for number in (1, 2, 3))
        self._at += requests
        cpu = (self.cpu_seconds() - before) * 1000 / max(1, requests)
        p50, p99, longest = (float(found[number]) / 1000 for number in (4, 5, 6))
        return Load(requests / micros * 1e6, errors, p50, p99, longest, requests, cpu)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("tweets", type=Path, help="a table or Parquet of texts")
    parser.add_argument("--column", default="text")
    parser.add_argument("--texts", type=int, default=60_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--soak", type=int, default=0, help="requests of the test of memory")
    parser.add_argument("--serve", nargs="*", default=[], help="more options of mltox serve")
    given = parser.parse_args()
    texts = distinct_texts(given.tweets, given.column, given.texts)
    with tempfile.TemporaryDirectory() as folder, server(Path(folder), texts, given.serve) as it:
        it.load(1, 1)
        bare_rates, bare_cpu, crowds = [], [], []
        scorer = Scorer(cache_size=0)
        for number in range(given.rounds):
            rate, cpu = bare(scorer, texts[number * 2_000 : (number + 1) * 2_000])
            bare_rates.append(rate)
            bare_cpu.append(cpu)
            crowds.append(it.load(CONNECTIONS, given.seconds))
        single = it.load(1, given.seconds)
        rate = median(load.per_second for load in crowds)
        half = it.load(CONNECTIONS, given.seconds, pause_ms=CONNECTIONS / (rate / 2) * 1000)
        report(median(bare_rates), median(bare_cpu), crowds, single, half)
        print(f"\nmemory {it.megabytes():.0f} MB")
        soak(it, given.soak)


def report(
    bare_rate: float, bare_cpu: float, crowds: Sequence[Load], single: Load, half: Load
) -> None:
    rate = median(load.per_second for load in crowds)
    cpu = median(load.cpu_ms for load in crowds)
    print("| what | texts a second | CPU ms a text | p50 ms | p99 ms | errors |")
    print("|---|---:|---:|---:|---:|---:|")
    print(f"| the scorer alone | {bare_rate:,.0f} | {bare_cpu:.2f} | | | |")
    print(
        f"| {CONNECTIONS} connections | {rate:,.0f} ({rate / bare_rate:.0%}) | {cpu:.2f}"
        f" ({bare_cpu / cpu:.0%}) | {median(load.p50 for load in crowds):.0f}"
        f" | {median(load.p99 for load in crowds):.0f} | {sum(load.errors for load in crowds)} |"
    )
    for name, load in (("one client", single), (f"{CONNECTIONS} connections, half the load", half)):
        print(f"| {name} | {load.per_second:,.0f} | {load.cpu_ms:.2f} | {load.p50:.1f}"
              f" | {load.p99:.1f} | {load.errors} |")  # fmt: skip


def soak(it: Server, requests: int) -> None:
    done = 0
    while done < requests:
        load = it.load(64, 10)
        done += load.requests
        print(f"{done:,} requests, {load.errors} errors, {it.megabytes():.0f} MB", flush=True)


def bare(scorer: Scorer, texts: Sequence[str]) -> tuple[float, float]:
    """Texts a second, and CPU milliseconds a text, of the scorer by itself."""
    began, cpu = time.perf_counter(), time.process_time()
    scorer.score(texts, ["en"] * len(texts))
    used = time.process_time() - cpu
    return len(texts) / (time.perf_counter() - began), used * 1000 / len(texts)


def distinct_texts(path: Path, column: str, count: int) -> list[str]:
    """`count` distinct texts at even distances."""
    found = [row.get(column) for row in read_raw_rows(path, column)]
    distinct = list(dict.fromkeys(text for text in found if isinstance(text, str) and text.strip()))
    return distinct[:: max(1, len(distinct) // count)][:count]


@contextmanager
def server(scratch: Path, texts: Sequence[str], options: Sequence[str]) -> Iterator[Server]:
    with (scratch / "calls").open("w") as stream:
        for text in texts:
            call = {"comment": {"text": text}, "languages": ["en"], "doNotStore": True,
                    "requestedAttributes": {"TOXICITY": {}}}  # fmt: skip
            stream.write(json.dumps(call) + "\n")
    command = [sys.executable, "-m", "mltox", "serve", "--port", "0", *options]
    popen = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert popen.stderr is not None
    port = next(
        int(found[1])
        for line in popen.stderr
        if (found := re.search(r"serving at http://127\.0\.0\.1:(\d+)", line))
    )
    try:
        yield Server(popen, port, scratch)
    finally:
        popen.terminate()
        popen.wait()


if __name__ == "__main__":
    main()
