"""From annotations to masks: mask pictures (also PixelAnnotationTool's), labelme files, outlines in text files.

Points of outlines count from the upper left corner of the upper left pixel, whose centre is (0.5, 0.5).
"""

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ...errors import UserError
from .options import FolderOptions
from .pictures import read_levels

LABELME_SUFFIX = ".json"
OUTLINES_SUFFIX = ".txt"


def read_mask(path: Path, shape: tuple[int, int], options: FolderOptions) -> np.ndarray:
    """Mask (rows, columns) bool of a frame of ``shape``. Raises UserError where it cannot be read or does not match."""
    suffix = path.suffix.lower()
    if suffix == LABELME_SUFFIX:
        return _labelme(path, shape, options)
    if suffix == OUTLINES_SUFFIX:
        return _outlines(path, shape, options)
    levels = read_levels(path)
    _check_size(path, levels.shape, shape)
    if options.class_ids:
        return np.isin(levels, options.class_ids)
    values = np.unique(levels)
    if len(values[values != 0]) > 1:
        shown = ", ".join(f"{value:g}" for value in values[:6])
        raise UserError(f"The mask {path.name} holds the values {shown}{', ...' if len(values) > 6 else ''}: say with "
                        "class_ids which of them count (and save masks as PNG, since JPEG blurs them).")
    return levels != 0


def _check_size(path: Path, found: tuple[int, ...], shape: tuple[int, int]) -> None:
    if tuple(found) != shape:
        raise UserError(f"The mask {path.name} has {found[0]} rows and {found[1]} columns, but its frame has "
                        f"{shape[0]} and {shape[1]}: export it again at the frame's size.")


def _labelme(path: Path, shape: tuple[int, int], options: FolderOptions) -> np.ndarray:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        size = (int(content["imageHeight"]), int(content["imageWidth"]))
        drawn = [(str(entry["label"]), str(entry.get("shape_type") or "polygon"),
                  np.asarray(entry["points"], dtype=float).reshape(-1, 2)) for entry in content["shapes"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f"{path.name} is no labelme file: save the annotation again.") from None
    _check_size(path, size, shape)
    mask = np.zeros(shape, dtype=bool)
    for label, kind, points in drawn:
        if not options.labels or label in options.labels:
            mask |= _drawn(path, kind, points, shape, options.line_width)
    return mask


def _drawn(path: Path, kind: str, points: np.ndarray, shape: tuple[int, int], line_width: float) -> np.ndarray:
    if kind == "polygon" and len(points) >= 3:
        return _filled(points, shape)
    if kind == "rectangle" and len(points) == 2:
        (left, top), (right, bottom) = points
        return _filled(np.array([(left, top), (right, top), (right, bottom), (left, bottom)]), shape)
    if kind in ("line", "linestrip") and len(points) >= 2:
        return _stroke(points, shape, line_width)
    raise UserError(f"{path.name} holds a '{kind}' of {len(points)} points, which is no area: draw polygons, "
                    "rectangles or line strips.")


def _filled(points: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    from skimage.draw import polygon2mask

    return polygon2mask(shape, points[:, ::-1] - 0.5)


def _stroke(points: np.ndarray, shape: tuple[int, int], width: float) -> np.ndarray:
    centres = np.stack(np.meshgrid(np.arange(shape[1]), np.arange(shape[0])), axis=-1) + 0.5
    mask = np.zeros(shape, dtype=bool)
    for start, end in pairwise(points):
        along = end - start
        length = float(along @ along)
        share = np.clip((centres - start) @ along / length, 0.0, 1.0) if length > 0 else np.zeros(shape)
        mask |= np.linalg.norm(centres - start - share[..., None] * along, axis=-1) <= width / 2
    return mask


def _outlines(path: Path, shape: tuple[int, int], options: FolderOptions) -> np.ndarray:
    mask = np.zeros(shape, dtype=bool)
    try:
        rows = [[float(word) for word in line.split()]
                for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError):
        rows = [[]]
    for row in rows:
        if len(row) < 7 or len(row) % 2 == 0 or not all(-0.01 <= value <= 1.01 for value in row[1:]):
            raise UserError(f"{path.name} holds a line that is no class with an outline (x y pairs in 0..1): export "
                            "the outlines again.")
        if not options.class_ids or int(row[0]) in options.class_ids:
            mask |= _filled(np.array(row[1:]).reshape(-1, 2) * np.array(shape[::-1]), shape)
    return mask


def labels_in(path: Path) -> set[str]:
    """The labels that a labelme file uses; none for other files and unreadable ones."""
    if path.suffix.lower() != LABELME_SUFFIX:
        return set()
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        return {str(entry["label"]) for entry in content["shapes"]}
    except (OSError, ValueError, KeyError, TypeError):
        return set()
