"""Buckets, by the JSON API of Cloud Storage."""

from __future__ import annotations

from templates.provisioning.change import Change
from templates.provisioning.errors import ProvisionError
from templates.provisioning.resources import Bucket
from templates.provisioning.rest import CONFLICT, ApiError, Item, Json, Rest

TEMPORARY_DAYS = 14


class Buckets:
    def __init__(self, rest: Rest) -> None:
        self._rest = rest

    def _item(self, bucket: Bucket) -> Item:
        path = f"storage/v1/b/{bucket.name}"
        return Item("storage", path, "storage.buckets", f"bucket {bucket.name}")

    def ensure(self, bucket: Bucket) -> Change:
        return self._rest.ensure(
            self._item(bucket),
            bucket_settings(bucket),
            create="storage/v1/b",
            body={"name": bucket.name, "location": bucket.location, **bucket_settings(bucket)},
            params={"project": bucket.project},
            masked=False,
        )

    def remove(self, bucket: Bucket) -> Change:
        """Only an empty one: models and cursors are no copies of anything."""
        try:
            return self._rest.remove(self._item(bucket))
        except ApiError as refused:
            if refused.status not in CONFLICT:
                raise
            raise ProvisionError(
                f"bucket {bucket.name} is not empty; look at it, then run:"
                f" gcloud storage rm --recursive --all-versions gs://{bucket.name}"
            ) from refused


def bucket_settings(bucket: Bucket) -> Json:
    condition = {"age": TEMPORARY_DAYS, "matchesPrefix": list(bucket.temporary)}
    rules = [{"action": {"type": "Delete"}, "condition": condition}] if bucket.temporary else []
    return {
        "iamConfiguration": {
            "uniformBucketLevelAccess": {"enabled": True},
            "publicAccessPrevention": "enforced",
        },
        "versioning": {"enabled": bucket.versioned},
        **({"lifecycle": {"rule": rules}} if rules else {}),
    }
