"""Collections of events: what was found in each, when, and by which terms, and what was missed.

    python benchmarks/events.py --data FOLDER [--keep FOLDER]

FOLDER holds pheme_ferguson.csv.gz, pheme_germanwings-crash.csv.gz and crisislex_t6.csv.gz, as the
PHEME and CrisisLexT6 data sets can be laid out (created_at, text, user.handle or tweet_id, event);
what is missing is left out. The moments below are those of the public record (UTC), told within
two hours. Beside it stands the plainest rule there is: hours of more posts than the mean and three
standard deviations, and the same of the toxic share.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean, pstdev
from typing import NamedTuple

from apache_beam.options.pipeline_options import PipelineOptions

from dashboards.incidents import IncidentRun, incidents
from mltox.posts.records import HOUR, SECOND, Anomaly, Micros
from mltox.warehouse import Warehouse, open_warehouse, read_records
from pipelines.options import ModelOptions, TopicOptions
from pipelines.runs.arguments import settings_of
from pipelines.runs.backfill.local import backfill

WITHIN = 2 * HOUR


class Moment(NamedTuple):
    at: str
    what: str


class Collection(NamedTuple):
    file: str
    columns: Mapping[str, str]
    topic: str | None
    moments: Mapping[str, Sequence[Moment]]


TEXT = {"text": "text", "created_at": "created_at"}
COLLECTIONS = (
    Collection(
        "pheme_ferguson.csv.gz",
        {**TEXT, "author": "user.handle"},
        "ferguson",
        {
            "ferguson": (
                Moment("2014-08-10T02:00Z", "the first night"),
                Moment("2014-08-13T23:00Z", "police in armour, tear gas"),
                Moment("2014-08-15T13:00Z", "the officer is named"),
                Moment("2014-08-15T19:00Z", "the chief on the robbery and the stop"),
            )
        },
    ),
    Collection(
        "pheme_germanwings-crash.csv.gz",
        {**TEXT, "author": "user.handle"},
        "germanwings crash",
        {
            "germanwings crash": (
                Moment("2015-03-24T11:00Z", "the crash"),
                Moment("2015-03-26T00:00Z", "one pilot was locked out"),
                Moment("2015-03-26T12:00Z", "the prosecutor names the co-pilot"),
            )
        },
    ),
    Collection(
        "crisislex_t6.csv.gz",
        {**TEXT, "id": "tweet_id", "topic": "event"},
        None,
        {
            "2013_Boston_Bombings": (
                Moment("2013-04-15T19:00Z", "the explosions"),
                Moment("2013-04-18T21:00Z", "pictures of the suspects"),
                Moment("2013-04-19T04:00Z", "the shooting at MIT"),
            ),
            "2013_Alberta_Floods": (Moment("2013-06-21T14:00Z", "Calgary is evacuated"),),
            "2013_Queensland_Floods": (Moment("2013-01-28T12:00Z", "the rivers peak"),),
        },
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the collections")
    parser.add_argument("--keep", type=Path, help="folder for the warehouses (default: none stays)")
    parser.add_argument("--threads", type=int, default=1, help="of the model (%(default)s)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for collection in COLLECTIONS:
            source = given.data / collection.file
            if source.exists():
                for line in told(collection, source, folder, given.threads):
                    print(line, flush=True)


def told(collection: Collection, source: Path, folder: Path, threads: int) -> Iterator[str]:
    path = folder / f"{collection.file.partition('.')[0]}.duckdb"
    fresh = not path.exists()
    with open_warehouse(str(path)) as warehouse:
        if fresh:
            flags = [f"--model_threads={threads}"]
            options = PipelineOptions(
                flags + ([f"--topic={collection.topic}"] if collection.topic else [])
            )
            assert options.view_as(ModelOptions) and options.view_as(TopicOptions)
            settings = settings_of(options)
            backfill([str(source)], settings, warehouse, columns=collection.columns, show=False)
        found = incidents(read_records(warehouse, "latest_anomalies", Anomaly))
        for topic, moments in collection.moments.items():
            own = [incident for incident in found if incident.topic == topic]
            yield from report(warehouse, topic, moments, own)


def report(
    warehouse: Warehouse, topic: str, moments: Sequence[Moment], found: Sequence[IncidentRun]
) -> Iterator[str]:
    rows = warehouse.query(
        "SELECT hour, posts, toxic_share FROM hourly_dashboard WHERE topic = ? ORDER BY hour",
        [topic],
    ).to_pylist()
    plain = plain_hours(rows)
    yield f"\n{topic}: {len(rows)} hours with posts, {len(found)} incidents"
    hits = sum(any(touches(incident, moment) for incident in found) for moment in moments)
    beside = sum(any(abs(at - micros(m.at)) <= WITHIN for at in plain) for m in moments)
    yield f"  moments found: {hits} of {len(moments)}; by mean and three deviations: {beside}"
    for moment in moments:
        seen = [incident for incident in found if touches(incident, moment)]
        yield f"    {'found ' if seen else 'MISSED'} {moment.at}  {moment.what}"
    for incident in found:
        peak = incident.peaks()[0]
        terms = next((a.terms for a in sorted(incident.anomalies, key=strength) if a.terms), ())
        yield (
            f"  {stamp(incident.start)} to {stamp(incident.end)}  {peak.metric} {peak.direction}"
            f" {peak.observed:.3g} (expected {peak.expected:.3g}), "
            f"{'afterwards' if incident.only_afterwards else 'at the time'}: {', '.join(terms)}"
        )


def plain_hours(rows: Sequence[Mapping[str, object]]) -> list[Micros]:
    """Hours of more than the mean and three standard deviations, of posts or of the toxic share."""
    out: set[Micros] = set()
    for name in ("posts", "toxic_share"):
        known = [(row["hour"], float(str(row[name]))) for row in rows if row[name] is not None]
        values = [value for _, value in known]
        limit = fmean(values) + 3 * pstdev(values) if values else 0.0
        out |= {micros_of(hour) for hour, value in known if value > limit}
    return sorted(out)


def strength(anomaly: Anomaly) -> float:
    return -abs(anomaly.score)


def touches(incident: IncidentRun, moment: Moment) -> bool:
    at = micros(moment.at)
    return any(abs(a.hour - at) <= WITHIN and a.direction == "up" for a in incident.anomalies)


def micros(text: str) -> Micros:
    return micros_of(datetime.fromisoformat(text))


def micros_of(at: object) -> Micros:
    assert isinstance(at, datetime)
    return int(at.timestamp()) * SECOND


def stamp(at: Micros) -> str:
    return f"{datetime.fromtimestamp(at // SECOND, UTC):%Y-%m-%d %H:%M}"


if __name__ == "__main__":
    main()
