"""The command line of a pipeline: our options shown, Beam's accepted, anything else refused."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from apache_beam.options.pipeline_options import PipelineOptions

from mltox.base.command_line import Parser, known_with, underscored
from mltox.base.errors import UsageError
from mltox.base.logs import LogFormat, set_up
from mltox.base.places import is_remote
from mltox.posts.authors import AuthorKeys
from mltox.posts.reading.how import How, delimiter_of, source_of, times_of
from mltox.posts.topics import Topic, TopicMatcher, load_topics
from mltox.scoring import SHIPPED, load_bundle
from mltox.scoring.scale.beside import scale_beside
from mltox.scoring.scale.maps import MODEL_SCALE
from mltox.scoring.scale.scaled import threshold_on
from mltox.warehouse.location import DuckDBFile, ParquetFolder, parse_uri
from pipelines.graph import Settings
from pipelines.options import (
    AuthorOptions,
    DetectionOptions,
    InputOptions,
    LogOptions,
    ModelOptions,
    StoreOptions,
    StoreText,
    TopicOptions,
    WarehouseOptions,
)
from pipelines.runners import carrier_of, leaves_process, on_dataflow
from pipelines.runs.author_secret import StoredAuthorKeys
from pipelines.runs.cloud_files import local_copy

DEFAULT_TOPIC = "all posts"
CLOUD = "gs://"
HASH = "#＃"


def parse(
    prog: str,
    description: str,
    example: str,
    groups: Sequence[type[PipelineOptions]],
    argv: Sequence[str] | None,
) -> PipelineOptions:
    """Exits with code 2 and one line on a flag that neither we nor Beam know. Sets up the logs."""
    made = Parser(
        prog=prog,
        description=description,
        epilog=f"example:\n  {example}\n\nBeam's own pipeline options (--runner, --project, …) are "
        "accepted as well.",
    )
    for group in groups:
        group._add_argparse_args(made)
    LogOptions._add_argparse_args(made)
    given = sys.argv[1:] if argv is None else list(argv)
    known, rest = made.parse_known_args(given)
    if unknown := unknown_to_beam(rest):
        made.error(f"unknown option: {' '.join(unknown)} (see {prog} --help)")
    set_up(LogFormat(known.log_format))
    return PipelineOptions(as_beam_spells(given))


def unknown_to_beam(arguments: Sequence[str]) -> list[str]:
    """Those that are no option of ours or Beam's, in either spelling."""
    return beam_parser().parse_known_args(as_beam_spells(arguments))[1]


def as_beam_spells(arguments: Sequence[str]) -> list[str]:
    return known_with(arguments, beam_parser()._option_string_actions, underscored)


def beam_parser() -> argparse.ArgumentParser:
    """All options of all groups, ours and Beam's, as Beam spells them: with underscores."""
    made = argparse.ArgumentParser(add_help=False, allow_abbrev=False, conflict_handler="resolve")
    for group in every_subclass(PipelineOptions):
        if "_add_argparse_args" in vars(group):
            group._add_argparse_args(made)
    return made


def every_subclass(of: type[PipelineOptions]) -> Iterator[type[PipelineOptions]]:
    for subclass in of.__subclasses__():
        yield subclass
        yield from every_subclass(subclass)


def columns_of(text: str | None) -> dict[str, str] | None:
    """`text=tweet,created_at=date` -> {"text": "tweet", "created_at": "date"}."""
    if not text:
        return None
    pairs = [pair.partition("=") for pair in text.split(",")]
    for field, equals, column in pairs:
        if not (field and equals and column):
            raise UsageError(
                f"--columns: expected FIELD=COLUMN,… but got {field + equals + column!r}"
            )
    return {field.strip(): column.strip() for field, _, column in pairs}


def how_of(options: InputOptions) -> How:
    """How a person said that files are to be read. Raises UsageError."""
    return How(
        source_of(options.source),
        delimiter_of(options.delimiter),
        times_of(options.date_format, bool(options.dayfirst), options.timezone),
    )


def topic_of(name: str, keywords: str) -> Topic:
    """Words with a # are hashtags, several words a phrase. Raises UsageError.

    >>> topic_of("vote", "election, #VoteNow, prime minister")[1:4]
    (('election',), ('prime minister',), ('VoteNow',))
    """
    kinds: dict[str, list[str]] = {"keywords": [], "phrases": [], "hashtags": []}
    for word in filter(None, map(str.strip, keywords.split(","))):
        several = len(word.split()) > 1
        if word[0] not in HASH:
            kinds["phrases" if several else "keywords"].append(word)
        elif several:
            raise UsageError(
                f"--keywords: a hashtag has no space, and {word!r} has one; write"
                f" {''.join(word.split())!r}, or the phrase without its {word[0]}"
            )
        else:
            kinds["hashtags"].append(word[1:])
    return Topic(name, **{kind: tuple(words) for kind, words in kinds.items()})


def topics_in(path: str) -> list[Topic]:
    """The topics of a file of this machine, or of a store that Beam reads: gs://, s3://, hdfs://."""
    if not is_remote(path):
        return list(load_topics(Path(path)))
    with local_copy(path) as copy:
        return list(load_topics(copy))


def topics_of(options: TopicOptions) -> tuple[list[Topic], str | None]:
    """The topics with keywords, and the one of all posts that have no topic, if any."""
    names = options.topic or []
    keywords = options.keywords or []
    topics = topics_in(options.topics_file) if options.topics_file else []
    if not names and keywords:
        raise UsageError("--keywords needs a --topic before it")
    if keywords and len(keywords) != len(names):
        raise UsageError(f"{len(names)} --topic but {len(keywords)} --keywords: give one for each")
    if keywords:
        paired = zip(names, keywords, strict=True)
        return topics + [topic_of(name, words) for name, words in paired], None
    if len(names) > 1:
        raise UsageError("more than one --topic: give each its --keywords")
    if names:
        return topics, names[0]
    return topics, None if topics else DEFAULT_TOPIC


def author_keys_of(options: AuthorOptions) -> AuthorKeys:
    version = options.author_key_secret
    return StoredAuthorKeys(version) if version else AuthorKeys.from_environment()


def check_reach(options: PipelineOptions) -> None:
    """Raises UsageError where workers are to use what lies in this process, or on Dataflow what
    lies on this machine alone. Raises WarehouseError."""
    warehouse = options.view_as(WarehouseOptions).warehouse
    location = parse_uri(warehouse)
    if leaves_process(options) and isinstance(location, DuckDBFile):
        raise UsageError(
            f"--warehouse: {warehouse} is a DuckDB file, which one process writes, and"
            f" {carrier_of(options)} has many; give parquet://FOLDER of a filesystem that they"
            " share, or bq://project.dataset"
        )
    if not on_dataflow(options):
        return
    if isinstance(location, ParquetFolder) and not location.folder.startswith(CLOUD):
        raise UsageError(f"--warehouse: Dataflow writes to gs:// or BigQuery, not {warehouse}")
    bundle = options.view_as(ModelOptions).bundle
    for option, paths in (
        ("--input", options.view_as(InputOptions).input or []),
        ("--bundle", [bundle] if bundle else []),
    ):
        for path in paths:
            if not path.startswith(CLOUD):
                raise UsageError(f"{option}: Dataflow reads gs:// paths, which {path} is not")


def settings_of(options: PipelineOptions) -> Settings:
    """Loads the topics and checks the bundle. Raises UsageError, BundleError, InputError."""
    topics, default_topic = topics_of(options.view_as(TopicOptions))
    model = options.view_as(ModelOptions)
    bundle = str(model.bundle or SHIPPED)
    threshold = _own_threshold(bundle, model.scale) if model.threshold is None else model.threshold
    if not 0 < threshold <= 1:
        raise UsageError(f"--threshold: {threshold} is not a probability")
    monthly = options.view_as(DetectionOptions).false_alarms_per_month
    if not 0 < monthly < math.inf:
        raise UsageError("--false-alarms-per-month has to be greater than 0")
    return Settings(
        matcher=TopicMatcher(topics),
        authors=author_keys_of(options.view_as(AuthorOptions)),
        bundle=bundle,
        threshold=threshold,
        default_topic=default_topic,
        model_threads=model.threads,
        store_text=StoreText(options.view_as(StoreOptions).store_text),
        scale=model.scale,
        false_alarms_per_month=monthly,
    )


def _own_threshold(bundle: str, scale: str) -> float:
    """The bundle's, on the scale that scores are given on. Raises BundleError."""
    loaded = load_bundle(bundle)
    if scale == MODEL_SCALE:
        return loaded.threshold
    return threshold_on(scale_beside(bundle, loaded.sha256), loaded.threshold)
