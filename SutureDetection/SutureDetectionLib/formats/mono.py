"""The JSON of the AdaptOR challenge for one eye: image size and points, nothing else."""

from pathlib import Path
from typing import Any

import numpy as np
from VesselRegistrationLib.errors import UserError

from .labelme import read_json
from .labels import Labels

_HALF = 0.5


def read_mono(path: Path, shape: tuple[int, ...] | None = None) -> Labels:
    """Labels of a file, for an image of ``shape`` (height, width, ...) where it is known; kinds are unknown.

    The file counts from the corner of the first pixel as labelme does. Raises UserError where the file cannot be read,
    belongs to an image of another size, or has points outside.
    """
    content = read_json(path)
    try:
        size = (int(content["imageHeight"]), int(content["imageWidth"]))
        points = np.array([[entry["x"], entry["y"]] for entry in content["points"]], dtype=float).reshape(-1, 2)
    except (KeyError, TypeError, ValueError):
        raise UserError(f"{path.name} is no labels file of the challenge: it needs imageWidth, imageHeight and "
                        "points with x and y.") from None
    if shape is not None and size != tuple(shape[:2]):
        raise UserError(f"{path.name} is of an image of {size[1]} x {size[0]} pixels, but the image has {shape[1]} x "
                        f"{shape[0]}: give the labels of this image.")
    if not ((points >= 0) & (points <= [size[1], size[0]])).all():
        raise UserError(f"{path.name} has points outside the image: correct the labels.")
    return Labels.of_points(points - _HALF)


def mono_content(positions: np.ndarray, shape: tuple[int, ...]) -> dict[str, Any]:
    """The content of a file for points (N, 2) (col, row) of an image of ``shape`` (height, width, ...)."""
    return {"imageWidth": int(shape[1]), "imageHeight": int(shape[0]),
            "points": [{"x": float(col) + _HALF, "y": float(row) + _HALF} for col, row in positions]}
