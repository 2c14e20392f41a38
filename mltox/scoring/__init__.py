"""The scorer: a model bundle, its tokenizer and ONNX session. Imports no Beam and no torch."""

from mltox.scoring.bundle import DEFAULT_BUNDLE, SHIPPED, Bundle, BundleError, load_bundle
from mltox.scoring.scorer import Scorer, Span

__all__ = ["DEFAULT_BUNDLE", "SHIPPED", "Bundle", "BundleError", "Scorer", "Span", "load_bundle"]
