"""The store that an address names."""

from __future__ import annotations

from pathlib import Path

from ingest.cursors.store import LocalStore, Store


def open_store(where: str) -> Store:
    """A folder, made if it is not there, or gs://BUCKET/PREFIX. Raises StateError."""
    if where.startswith("gs://"):
        # The client takes a second to load, and a local run has no need of it.
        from ingest.cursors.gcs import GcsStore

        return GcsStore(where)
    return LocalStore(Path(where))
