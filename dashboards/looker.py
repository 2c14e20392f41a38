"""Links that open a Looker Studio report over the views of a BigQuery dataset.

The parameters are those of the Linking API:
https://developers.google.com/looker-studio/integrate/linking-api
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlencode

from dashboards.errors import DashboardError
from mltox.warehouse.location import BigQueryDataset, parse_uri

CREATE = "https://lookerstudio.google.com/reporting/create"
REPORT = "mltox: toxicity of conversations"

DATA_SOURCES: Mapping[str, str] = {
    "metric_hours": "mltox hours, past and coming",
    "hourly_dashboard": "mltox hours",
    "topic_daily": "mltox days",
    "topic_summary": "mltox topics",
    "hour_of_week": "mltox hours of the week",
    "label_daily": "mltox labels",
    "anomaly_report": "mltox anomalies",
    "anomaly_examples": "mltox examples",
    "forecast_accuracy_dashboard": "mltox forecast accuracy",
    "forecast_scores": "mltox past forecasts",
    "dead_letters_by_reason": "mltox dead letters",
}
"""View, which is also the alias of its data source, and the name that a report shows."""


def report_link(dataset: BigQueryDataset, views: Iterable[str], template: str | None = None) -> str:
    """A new report with these views connected: blank, or a copy of the report `template`.

    In a template, the data sources have the views' names as aliases.
    """
    parameters = {"c.reportId": template} if template else {"c.mode": "edit"}
    parameters["r.reportName"] = REPORT
    for view in views:
        source = {
            "connector": "bigQuery",
            "type": "TABLE",
            "projectId": dataset.project,
            "datasetId": dataset.dataset,
            "tableId": view,
            "datasourceName": DATA_SOURCES[view],
        }
        parameters |= {f"ds.{view}.{name}": value for name, value in source.items()}
    return f"{CREATE}?{urlencode(parameters)}"


def links(uri: str, template: str | None = None) -> str:
    """What a person opens, in order. Raises DashboardError for a warehouse that is a file."""
    dataset = parse_uri(uri)
    if not isinstance(dataset, BigQueryDataset):
        raise DashboardError("--looker: Looker Studio reads BigQuery; give bq://project.dataset")
    everything = report_link(dataset, DATA_SOURCES, template)
    if template:
        return f"a copy of the report, over {uri}:\n  {everything}"
    alone = "\n".join(f"  {view}\n    {report_link(dataset, [view])}" for view in DATA_SOURCES)
    return (
        f"a blank report with all {len(DATA_SOURCES)} views of {uri} connected:\n  {everything}\n\n"
        f"each view alone, where the report above has not taken all of them:\n{alone}"
    )
