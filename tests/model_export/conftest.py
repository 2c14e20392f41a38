"""Helpers that import torch are looked through for examples only where it is."""

import importlib.util

collect_ignore = [] if importlib.util.find_spec("torch") else ["tiny.py"]
