"""The score maps that lie beside a bundle."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mltox.google.objects import ObjectError, download
from mltox.scoring.scale.maps import FILE, ScaleError, ScoreMaps, read_scale

MOST_MAP_BYTES = 1_000_000
CLOUD = "gs://"


def scale_beside(bundle: str, model_sha256: str) -> ScoreMaps:
    """The maps of the bundle in a folder or under `gs://bucket/folder`.

    Raises ScaleError where there are none, or they are for another bundle.
    """
    if not bundle.startswith(CLOUD):
        return read_scale(Path(bundle) / FILE, model_sha256)
    with tempfile.TemporaryDirectory(prefix="mltox-scale-") as folder:
        try:
            download(bundle, Path(folder), {FILE: MOST_MAP_BYTES})
        except ObjectError as error:
            raise ScaleError(f"cannot fetch the score map of {bundle}: {error}") from None
        return read_scale(Path(folder) / FILE, model_sha256)
