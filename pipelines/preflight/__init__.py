"""What a run needs, looked at before its graph is built.

A check yields one line for each problem: the resource, and the permission that is missing or the
command that mends it. They ask with the credentials of whoever launches; a Dataflow job runs as its
worker's account, which nobody can ask for from here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mltox.base.errors import UserError

if TYPE_CHECKING:
    from mltox.warehouse.location import BigQueryDataset


class PreflightError(UserError):
    """What has to be mended before the run; `problems` are one line each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        lines = problems if len(problems) == 1 else [f"{len(problems)} problems:", *problems]
        super().__init__("\n  ".join(lines))


@dataclass(frozen=True)
class Needs:
    """What a run reads and writes. `reads` and `writes` are tables of the `dataset`, `deletions` is
    a subscription as well.

    `makes_tables`: the run makes the tables that are missing. `queries`: it runs SQL, which takes a
    permission of its own. `storage_write`: it appends by the Storage Write API.
    """

    bundle: str | None = None
    subscription: str | None = None
    deletions: str | None = None
    topics: tuple[str | None, ...] = ()
    dataset: BigQueryDataset | None = None
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    makes_tables: bool = False
    queries: bool = False
    storage_write: bool = False


def check(needs: Needs) -> None:
    """Raises PreflightError with all that is wrong, not only the first."""
    problems = list(problems_of(needs))
    if problems:
        raise PreflightError(problems)


def problems_of(needs: Needs) -> Iterator[str]:
    # The clients are imported here: a run loads none that it has no need of.
    for subscription in filter(None, (needs.subscription, needs.deletions)):
        from mltox.google.pubsub.checks import subscription_problems

        yield from subscription_problems(subscription)
    for topic in filter(None, needs.topics):
        from mltox.google.pubsub.checks import topic_problems

        yield from topic_problems(topic)
    if needs.dataset is not None:
        from pipelines.preflight.bigquery import dataset_problems

        yield from dataset_problems(
            needs.dataset,
            reads=needs.reads,
            writes=needs.writes,
            makes_tables=needs.makes_tables,
            queries=needs.queries,
        )
    if needs.storage_write:
        from pipelines.sinks.storage_write import java_problem

        yield from filter(None, [java_problem()])
    if needs.bundle is not None:
        yield from bundle_problems(needs.bundle)


def bundle_problems(bundle: str) -> Iterator[str]:
    """A folder or a gs:// path, fetched and with its hashes checked."""
    from mltox.scoring import BundleError, load_bundle

    try:
        load_bundle(bundle)
    except BundleError as error:
        yield str(error)
