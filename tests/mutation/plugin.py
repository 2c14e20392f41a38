"""Lets one process of pytest import a mutant in the place of a module; no file is touched."""

from __future__ import annotations

import importlib.machinery
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, ModuleType

MODULE, SOURCE = "MLTOX_MUTATED_MODULE", "MLTOX_MUTATED_SOURCE"
"""Environment: the module's name, and the file that holds its mutant."""


class _Loader(importlib.machinery.SourceFileLoader):
    def get_code(self, fullname: str) -> CodeType:
        return compile(Path(os.environ[SOURCE]).read_text(encoding="utf-8"), self.path, "exec")


class _Finder:
    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != os.environ.get(MODULE):
            return None
        found = importlib.machinery.PathFinder.find_spec(name, path)
        if found is not None and found.origin is not None:
            found.loader = _Loader(name, found.origin)
        return found


if MODULE in os.environ:
    sys.meta_path.insert(0, _Finder)
