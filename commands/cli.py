"""`mltox <verb>`: the one way in for people."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import NamedTuple

from mltox.base.entry import reporting_errors
from mltox.base.interrupts import run_until_interrupted


class Verb(NamedTuple):
    module: str
    help: str
    extra: str = ""
    """What has to be installed beside the runtime, as in `pip install 'mltox[extra]'`."""


VERBS = {
    "demo": Verb("commands.demo", "the whole way on a sample or your own posts: tables, a page"),
    "score": Verb("commands.score", "score one text or a file of texts"),
    "sample": Verb("commands.sample", "write the sample of posts that the demo uses"),
    "ingest": Verb("ingest.cli", "posts of a network into Pub/Sub, as they are written"),
    "backfill": Verb("pipelines.runs.backfill.local", "files of posts into the warehouse"),
    "stream": Verb("commands.stream", "posts from Pub/Sub into the warehouse as they come"),
    "live": Verb("commands.live", "the sample as a live stream on this machine, with its page"),
    "replay-dead-letters": Verb(
        "commands.replay_dead_letters", "put dead letters that can be read by now back on a topic"
    ),
    "forget": Verb("commands.forget", "take posts that are gone at their source out of tables"),
    "detect": Verb("commands.detect", "find the anomalies of a series in a CSV file"),
    "forecast": Verb("pipelines.runs.forecast", "forecast the coming week from the warehouse"),
    "provision": Verb("commands.provision", "make what a project, or a warehouse alone, needs"),
    "dashboard": Verb("commands.dashboard", "write the page from the warehouse, or serve it"),
    "explain": Verb("commands.explain", "what an hour of a topic was about, and who said it"),
    "serve": Verb("commands.serve", "answer as Perspective's API did, on this machine", "serve"),
    "calibrate": Verb("commands.calibrate", "fit the map that keeps a user's thresholds"),
    "train": Verb("model_export.train", "train a toxicity model", "export,train"),
    "export": Verb("model_export.export", "make a bundle of a trained model", "export"),
    "evaluate": Verb("model_export.evaluate", "measure a bundle on labelled texts", "export,train"),
}


def usage() -> str:
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {name:<{width}}  {verb.help}" for name, verb in VERBS.items())
    return (
        "mltox: how toxic the public conversation on a topic is\n\n"
        f"usage: mltox VERB [options]\n\n{verbs}\n\n"
        "mltox VERB --help tells what each reads and writes, with an example; mltox --version the\n"
        "release. A command ends with 0 where all went well, 2 where you can mend something (one\n"
        "line says what), 130 after Ctrl-C (143 after SIGTERM), and 1 for everything else."
    )


def main(argv: Sequence[str] | None = None) -> int:
    """The command line of a process where no arguments are given."""
    if argv is None:
        return run_until_interrupted(lambda: run(sys.argv[1:]))
    return run(argv)


def run(arguments: Sequence[str]) -> int:
    if not arguments or arguments[0] in {"-h", "--help", "help"}:
        print(usage())
        return 0
    if arguments[0] in {"-V", "--version"}:
        print(f"mltox {version('mltox')}")
        return 0
    verb = VERBS.get(arguments[0])
    if verb is None:
        print(f"mltox: no verb {arguments[0]!r}\n\n{usage()}", file=sys.stderr)
        return 2
    try:
        module = importlib.import_module(verb.module)
    except ModuleNotFoundError as error:
        if not verb.extra:
            raise
        print(
            f"mltox {arguments[0]} needs {error.name}, which is not installed: "
            f"pip install --constraint constraints.txt '.[{verb.extra}]'",
            file=sys.stderr,
        )
        return 2
    return reporting_errors(lambda: int(module.main(list(arguments[1:]))))
