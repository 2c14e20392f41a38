"""The cloud function: a poll for each call, see `ingest.poll`.

`poll` answers Cloud Scheduler's POST; `poll_on_message` takes the CloudEvent of a Pub/Sub trigger.

    functions-framework --source ingest/main.py --target poll
"""

from __future__ import annotations

import flask
import functions_framework
from cloudevents.http import CloudEvent

from ingest.poll import Busy, PollError, poll_all
from mltox.base.logs import LogFormat, set_up

set_up(LogFormat.JSON)


@functions_framework.http
def poll(request: flask.Request) -> tuple[dict[str, object], int]:
    """200 and counts by source; 500 and one line where a source failed, 409 where another poll is
    under way. A GET polls nothing and says that the function is up."""
    if request.method != "POST":
        return {"up": True}, 200
    try:
        return {"counts": poll_all()}, 200
    except Busy as error:
        return {"error": str(error)}, 409
    except PollError as error:
        return {"error": str(error)}, 500


@functions_framework.cloud_event
def poll_on_message(event: CloudEvent) -> None:
    """Whatever the message says. A failure is raised, so that the trigger tries again if it is set
    to; a poll under way does this one's work."""
    try:
        poll_all()
    except Busy:
        return
