"""Landmark files: this project's own JSON, and pairs of Slicer markups.

Own form; views are counted from 0 in the order of the X-rays, pixels are (col, row) counted from 0, points are model
millimetres in RAS unless ``coordinate_system`` says LPS::

    {"coordinate_system": "RAS",
     "landmarks": [{"view": 0, "pixel": [211.5, 300.0], "point": [12.1, -80.4, 903.0]}, ...]}

Pair of markups; the points of the model and those placed on each X-ray volume of Slicer belong together by their
labels, and null stands for an X-ray without points::

    {"model": "model.mrk.json", "views": ["xray0.mrk.json", null]}
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UserError
from ..geometry.carm import CArmView
from .landmarks import Landmarks

_FORM = 'give {"landmarks": [{"view": 0, "pixel": [col, row], "point": [x, y, z]}, ...]}'
_TO_RAS = {"RAS": np.ones(3), "LPS": np.array([-1.0, -1.0, 1.0])}
_SLICER_NUMBERS = {"0": "RAS", "1": "LPS"}


def read_landmarks(path: Path | str, views: Sequence[CArmView]) -> Landmarks:
    """Read 2D-3D landmark pairs. Raises UserError where the file cannot be read or is not in one of the two forms.

    Paths of markups count from the file's own folder. Markups on an X-ray are read as Slicer lays these volumes: RAS
    is (-col, -row, 0) times the spacing.
    """
    path = Path(path)
    content = _read_json(path)
    if isinstance(content, dict) and "landmarks" in content:
        return _own(content, path)
    if isinstance(content, dict) and {"model", "views"} <= content.keys():
        return _markups(content, path, views)
    raise UserError(f"{path.name} holds no landmarks: {_FORM}.")


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as problem:
        raise UserError(f"{path.name} cannot be read: give a landmark file in JSON.") from problem
    except json.JSONDecodeError as problem:
        raise UserError(f"{path.name} is not valid JSON (line {problem.lineno}): {_FORM}.") from problem


def _own(content: dict[str, Any], path: Path) -> Landmarks:
    to_ras = _system(content.get("coordinate_system", "RAS"), path)
    try:
        entries = list(content["landmarks"])
        points = np.array([entry["point"] for entry in entries], dtype=float).reshape(len(entries), 3)
        pixels = np.array([entry["pixel"] for entry in entries], dtype=float).reshape(len(entries), 2)
        index = np.array([entry["view"] for entry in entries])
    except (TypeError, KeyError, ValueError) as problem:
        raise UserError(f"A landmark in {path.name} is incomplete: {_FORM}.") from problem
    if entries and not np.issubdtype(index.dtype, np.integer):
        raise UserError(f"A landmark in {path.name} does not name its view by a whole number: {_FORM}.")
    return Landmarks(points * to_ras, pixels, index.astype(int))


def _markups(content: dict[str, Any], path: Path, views: Sequence[CArmView]) -> Landmarks:
    names = content["views"]
    if not isinstance(names, list) or not isinstance(content["model"], str):
        raise UserError(f'{path.name} is not a pair of markups: give "model": FILE and "views": [FILE, ...].')
    if len(names) != len(views):
        raise UserError(f"{path.name} names markups for {len(names)} views, but there are {len(views)}: give one for "
                        "each, or null.")
    model = _control_points(path.parent / content["model"])
    points, pixels, index = [], [], []
    for number, (name, view) in enumerate(zip(names, views, strict=True)):
        seen = {} if name is None else _control_points(path.parent / str(name))
        unknown = sorted(seen.keys() - model.keys())
        if unknown:
            raise UserError(f"The landmark '{unknown[0]}' on view {number} has no partner of that label on the model: "
                            "give both the same label.")
        for label, place in seen.items():
            points.append(model[label])
            pixels.append(-place[:2] / [view.column_spacing_mm, view.row_spacing_mm])
            index.append(number)
    return Landmarks(np.array(points).reshape(-1, 3), np.array(pixels).reshape(-1, 2), np.array(index, dtype=int))


def _control_points(path: Path) -> dict[str, np.ndarray]:
    """Labels and places (3,), RAS mm, of the points of a Slicer markups file."""
    content = _read_json(path)
    found: dict[str, np.ndarray] = {}
    try:
        for markup in content["markups"]:
            to_ras = _system(markup.get("coordinateSystem", "LPS"), path)
            for point in markup["controlPoints"]:
                if point.get("positionStatus", "defined") != "defined":
                    continue
                label = str(point["label"])
                if label in found:
                    raise UserError(f"The label '{label}' stands twice in {path.name}: give every point its own.")
                found[label] = np.array(point["position"], dtype=float).reshape(3) * to_ras
    except (TypeError, KeyError, ValueError, AttributeError) as problem:
        raise UserError(f"{path.name} is not a Slicer markups file: save the points from Slicer as .mrk.json.") \
            from problem
    return found


def _system(name: object, path: Path) -> np.ndarray:
    known = str(name).upper()
    known = _SLICER_NUMBERS.get(known, known)
    if known not in _TO_RAS:
        raise UserError(f"The coordinate system '{name}' in {path.name} is not known: give RAS or LPS.")
    return _TO_RAS[known]
