"""Requests at fixed times, by the Cloud Scheduler API."""

from __future__ import annotations

import base64
from dataclasses import replace

from templates.provisioning.change import Change
from templates.provisioning.project import ProjectNumber
from templates.provisioning.resources import ScheduleResource
from templates.provisioning.rest import CLOUD_SCOPE, Item, Json, Rest


class Schedules:
    def __init__(self, rest: Rest, number: ProjectNumber) -> None:
        self._rest, self._number = rest, number

    def _item(self, schedule: ScheduleResource) -> Item:
        path = f"v1/{schedule.name}"
        return Item("cloudscheduler", path, "cloudscheduler.jobs", f"schedule {schedule.name}")

    def ensure(self, schedule: ScheduleResource) -> Change:
        """A new one is paused; whether one that is there runs is left as it is."""
        item = self._item(schedule)
        wanted = schedule_settings(replace(schedule, uri=self._number.fill(schedule.uri)))
        change = self._rest.ensure(
            item,
            wanted,
            create=item.path.rpartition("/")[0],
            body={"name": schedule.name, **wanted},
        )
        if change is Change.MADE:
            self._rest.call("POST", item, "pause", path=f"{item.path}:pause", body={})
        return change

    def remove(self, schedule: ScheduleResource) -> Change:
        return self._rest.remove(self._item(schedule))


def schedule_settings(schedule: ScheduleResource) -> Json:
    if schedule.to_google:
        token = {"oauthToken": {"serviceAccountEmail": schedule.account, "scope": CLOUD_SCOPE}}
    else:
        audience = {"serviceAccountEmail": schedule.account, "audience": schedule.uri}
        token = {"oidcToken": audience}
    return {
        "schedule": schedule.cron,
        "timeZone": "Etc/UTC",
        "httpTarget": {
            "uri": schedule.uri,
            "httpMethod": "POST",
            "headers": {"Content-Type": "application/json"},
            "body": base64.b64encode(schedule.payload).decode(),
            **token,
        },
    }
