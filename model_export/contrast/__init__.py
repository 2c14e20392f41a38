"""Contrast cases of the project's own writing, to train on and to hold out; see `compose`."""

from model_export.contrast.compose import ContrastKind, compose, is_held_out, read_kinds

__all__ = ["ContrastKind", "compose", "is_held_out", "read_kinds"]
