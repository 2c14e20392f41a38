"""Perspective's names for what the model's labels say."""

from __future__ import annotations

from collections.abc import Mapping

ATTRIBUTES: Mapping[str, str] = {
    "TOXICITY": "toxicity",
    "SEVERE_TOXICITY": "severe_toxicity",
    "IDENTITY_ATTACK": "identity_attack",
    "INSULT": "insult",
    "PROFANITY": "obscene",
    "THREAT": "threat",
    "OBSCENE": "obscene",
    "SEXUALLY_EXPLICIT": "sexual_explicit",
}
"""The label that answers for an attribute. An attribute of another meaning gets no stand-in."""
