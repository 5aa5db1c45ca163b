"""labelme JSON: one file beside each image.

labelme counts from the corner of the first pixel, this package from its centre: half a pixel lies between them. A
point's label is "entry", "exit" or anything else for unknown; the two ends of a stitch share a ``group_id``. The label
"None" says that an image was looked at and shows no points (AdaptOR).
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from VesselRegistrationLib.errors import UserError

from .. import ENTRY, EXIT, KIND_NAMES, UNKNOWN_KIND
from .labels import Labels

NO_POINTS = "None"
_UNKNOWN_LABEL = "suture"
_VERSION = "5.5.0"
_HALF = 0.5
_KINDS = {KIND_NAMES[kind]: kind for kind in (ENTRY, EXIT)}


def read_labelme(path: Path, shape: tuple[int, ...] | None = None) -> Labels:
    """Labels of a file, for an image of ``shape`` (height, width, ...) where it is known.

    Raises UserError where the file cannot be read, belongs to an image of another size, or has points outside.
    """
    content = read_json(path)
    return labels_of_shapes(path, content, shape)


def labels_of_shapes(path: Path, content: Mapping[str, Any], shape: tuple[int, ...] | None) -> Labels:
    """Labels of the shapes of kind "point" in a labelme file's content; errors as in ``read_labelme``."""
    points, kinds, groups = [], [], []
    for entry in shapes_of(path, content, shape):
        if entry["shape_type"] != "point":
            raise UserError(f"{path.name} holds a {entry['shape_type']}: mark sutures as points in labelme.")
        points.append(entry["points"][0])
        kinds.append(_KINDS.get(str(entry["label"]).lower(), UNKNOWN_KIND))
        groups.append(-1 if entry.get("group_id") is None else int(entry["group_id"]))
    return Labels.of_points(np.array(points, dtype=float).reshape(-1, 2) - _HALF, np.array(kinds, int),
                            np.array(groups, int))


def shapes_of(path: Path, content: Mapping[str, Any], shape: tuple[int, ...] | None) -> Sequence[dict[str, Any]]:
    """The shapes of a labelme file's content but those that say "None", checked; errors as in ``read_labelme``."""
    try:
        size = (int(content["imageHeight"]), int(content["imageWidth"]))
        shapes = [dict(entry) for entry in content["shapes"] if entry["label"] != NO_POINTS]
        places = np.array([point for entry in shapes for point in entry["points"]], dtype=float).reshape(-1, 2)
        complete = all(entry["points"] and "shape_type" in entry for entry in shapes) and np.isfinite(places).all()
    except (KeyError, TypeError, ValueError):
        complete = False
    if not complete:
        raise UserError(f"{path.name} is no complete labelme file: label the image again.")
    if shape is not None and size != tuple(shape[:2]):
        raise UserError(f"{path.name} is of an image of {size[1]} x {size[0]} pixels, but the image has {shape[1]} x "
                        f"{shape[0]}: give the labels of this image.")
    if ((places < 0) | (places > [size[1], size[0]])).any():
        raise UserError(f"{path.name} has points outside the image: correct the labels.")
    return shapes


def labelme_content(labels: Labels, image_name: str, shape: tuple[int, ...]) -> dict[str, Any]:
    """The content of a labelme file for labels of an image of ``shape`` (height, width, ...)."""
    shapes = [point_shape(point, KIND_NAMES[kind] if kind in (ENTRY, EXIT) else _UNKNOWN_LABEL,
                          None if number < 0 else int(number))
              for point, kind, number in zip(labels.points, labels.kinds, labels.pair_ids, strict=True)]
    return file_content(shapes, image_name, shape)


def file_content(shapes: Sequence[Mapping[str, Any]], image_name: str, shape: tuple[int, ...]) -> dict[str, Any]:
    """A labelme file with these shapes, or with "None" where there are none."""
    nothing = [point_shape(np.zeros(2), NO_POINTS)]
    return {"version": _VERSION, "flags": {}, "shapes": list(shapes) or nothing, "imagePath": image_name,
            "imageData": None, "imageHeight": int(shape[0]), "imageWidth": int(shape[1])}


def point_shape(point: np.ndarray, label: str, group: int | None = None) -> dict[str, Any]:
    """A point (2,), (col, row)."""
    return _shape(label, [point], "point", group)


def line_shape(first: np.ndarray, second: np.ndarray, label: str) -> dict[str, Any]:
    """A line between two points (2,), (col, row)."""
    return _shape(label, [first, second], "line", None)


def _shape(label: str, points: Sequence[np.ndarray], kind: str, group: int | None) -> dict[str, Any]:
    return {"label": label, "points": [[float(value) + _HALF for value in point] for point in points],
            "group_id": group, "shape_type": kind, "flags": {}}


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises UserError where it cannot be read or is none."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise UserError(f"{path} cannot be read ({problem.strerror}): name an existing file.") from None
    except ValueError:
        raise UserError(f"{path.name} is no JSON file: label the image again.") from None
    if not isinstance(content, dict):
        raise UserError(f"{path.name} holds no labels: label the image again.")
    return content
