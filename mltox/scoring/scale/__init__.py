"""Scores on another scale than the model's own probability, by monotone maps."""
