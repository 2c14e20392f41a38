"""Pub/Sub: pull and publish, leases, checks. PUBSUB_EMULATOR_HOST is honoured."""

EMULATOR = "PUBSUB_EMULATOR_HOST"
