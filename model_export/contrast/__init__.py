"""Contrast cases of the project's own writing, to train on and to hold out; see `compose`."""

from model_export.contrast.compose import Kind, compose, is_held_out, read_kinds

__all__ = ["Kind", "compose", "is_held_out", "read_kinds"]
