"""Everything of a result as files in one folder that appears whole or not at all."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..mesh.surface import SurfaceModel
from ..progress import ProgressCallback, ignore_progress
from ..registration.result import RegistrationResult
from ..registration.result_file import RESULT_FILE, result_as_json
from .new_folder import new_folder
from .pictures import comparison_picture, mask_picture, overlay_picture


def write_result(result: RegistrationResult, model: SurfaceModel, out: Path,
                 progress: ProgressCallback = ignore_progress, extra: Mapping[str, Any] | None = None) -> None:
    """Write result.json, the pictures, the transform file and the scene of a result into the new folder ``out``.

    Per view K, counted from 0, there are overlay_K.png, comparison_K.png and mask_K.png. ``extra`` maps names of
    further JSON files to their content. Raises UserError where ``out`` is not empty or cannot be written.
    """
    from ..scene.sceneFile import writeScene

    with new_folder(out) as folder:
        (folder / RESULT_FILE).write_text(result_as_json(result), encoding="utf-8")
        for name, content in (extra or {}).items():
            (folder / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        for number, view in enumerate(result.views):
            progress(number / (len(result.views) + 1), "drawing")
            save_png(folder / f"overlay_{number}.png", overlay_picture(result, number, model))
            save_png(folder / f"comparison_{number}.png", comparison_picture(view, result.roi))
            save_png(folder / f"mask_{number}.png", mask_picture(view.mask))
        progress(len(result.views) / (len(result.views) + 1), "writing the scene")
        writeScene(result, model, folder)
    progress(1.0, "written")


def save_png(path: Path, picture: np.ndarray) -> None:
    """Write a picture (rows, columns) or (rows, columns, 3), uint8."""
    from PIL import Image

    Image.fromarray(picture).save(path)
