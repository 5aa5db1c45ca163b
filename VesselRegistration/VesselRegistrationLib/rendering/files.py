"""Results as files and folders that appear whole or not at all."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UserError
from ..mesh.surface import SurfaceModel
from ..mesh.writing import write_model
from ..progress import ProgressCallback, ignore_progress
from ..registration.result import RegistrationResult
from ..registration.result_file import RESULT_FILE, result_as_json
from .new_folder import check_writable, new_folder
from .pictures import comparison_picture, mask_picture, overlay_picture


def write_result(result: RegistrationResult, model: SurfaceModel, out: Path,
                 progress: ProgressCallback = ignore_progress, extra: Mapping[str, Any] | None = None,
                 meshes: Mapping[str, SurfaceModel] | None = None,
                 pages: Mapping[str, str] | None = None) -> None:
    """Write result.json, the pictures, the transform file and the scene of a result into the new folder ``out``.

    Per view K, counted from 0, there are overlay_K.png, comparison_K.png and mask_K.png. ``extra`` maps names of
    further JSON files to their content, ``meshes`` names of mesh files to models, ``pages`` names of text files to
    texts. Where no pose was found there are only result.json and the masks, so that nothing looks like a result. Raises
    UserError where ``out`` is not empty or cannot be written.
    """
    from ..scene.sceneFile import writeScene

    with new_folder(out) as folder:
        (folder / RESULT_FILE).write_text(result_as_json(result), encoding="utf-8")
        for name, content in (extra or {}).items():
            save_json(folder / name, content)
        for name, mesh in (meshes or {}).items():
            write_model(folder / name, mesh)
        for name, text in (pages or {}).items():
            (folder / name).write_text(text, encoding="utf-8")
        for number, view in enumerate(result.views):
            save_png(folder / f"mask_{number}.png", mask_picture(view.mask))
            if not result.found:
                continue
            progress(number / (len(result.views) + 1), "drawing")
            save_png(folder / f"overlay_{number}.png", overlay_picture(result, number, model))
            save_png(folder / f"comparison_{number}.png", comparison_picture(view, result.roi))
        if result.found:
            progress(len(result.views) / (len(result.views) + 1), "writing the scene")
            writeScene(result, model, folder)
    progress(1.0, "written")


def check_new_picture(path: Path) -> None:
    """Refuse, before any work is done, a PNG file that exists already or cannot be written (UserError)."""
    if path.suffix.lower() != ".png":
        raise UserError(f"{path.name} is no name for a picture: give one that ends in .png.")
    if path.exists():
        raise UserError(f"{path} exists already: give another name.")
    check_writable(path)


def write_picture(path: Path, picture: np.ndarray) -> None:
    """Write one new PNG in one step. Raises UserError as ``check_new_picture`` does."""
    check_new_picture(path)
    temporary = path.with_name(f".{path.stem}.partial.png")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_png(temporary, picture)
        os.replace(temporary, path)
    except OSError as problem:
        raise UserError(f"{path} cannot be written ({problem.strerror or problem}): choose another place.") from problem
    finally:
        temporary.unlink(missing_ok=True)


def save_png(path: Path, picture: np.ndarray) -> None:
    """Write a picture (rows, columns) or (rows, columns, 3), uint8."""
    from PIL import Image

    Image.fromarray(picture).save(path)


def save_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON, indented."""
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
