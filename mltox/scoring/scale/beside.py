"""The score maps that lie beside a bundle."""

from __future__ import annotations

import tempfile
from pathlib import Path

from mltox.base.places import PlaceError, is_remote, read_bounded
from mltox.google.objects import ObjectError, download
from mltox.scoring.bundle import where
from mltox.scoring.scale.maps import FILE, ScaleError, ScoreMaps, read_scale

MOST_MAP_BYTES = 1_000_000
CLOUD = "gs://"


def scale_beside(bundle: str, model_sha256: str) -> ScoreMaps:
    """The maps of the bundle in a folder, under `gs://bucket/folder` or another store's address.

    Raises ScaleError where there are none, or they are for another bundle.
    """
    bundle = str(where(bundle))
    if not is_remote(bundle):
        return read_scale(Path(bundle) / FILE, model_sha256)
    with tempfile.TemporaryDirectory(prefix="mltox-scale-") as folder:
        try:
            if bundle.startswith(CLOUD):
                download(bundle, Path(folder), {FILE: MOST_MAP_BYTES})
            else:
                content = read_bounded(f"{bundle.rstrip('/')}/{FILE}", MOST_MAP_BYTES)
                (Path(folder) / FILE).write_bytes(content)
        except (ObjectError, PlaceError) as error:
            raise ScaleError(f"cannot fetch the score map of {bundle}: {error}") from None
        return read_scale(Path(folder) / FILE, model_sha256)
