"""Perspective's contract (commentanalyzer v1alpha1) over a model bundle."""
