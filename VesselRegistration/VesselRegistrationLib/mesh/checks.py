"""Whether a mesh can be a vessel at all: enough triangles, not flat, and of a plausible size."""

import numpy as np

from ..errors import UserError
from .mending import enclosed_volume, triangle_areas

UNITS_MM = {"mm": 1.0, "cm": 10.0, "m": 1000.0, "um": 0.001}
"""Units that a file's coordinates can have, in millimetres."""

_FEWEST_TRIANGLES = 20
_FLATTEST, _SMALLEST_MM = 1e-3, 1e-6
_EXTENT_MM = (20.0, 2500.0)
_THICKNESS_MM = (2.0, 120.0)
# Short pieces of vessel are of large ones; a thin short model is a long one in centimetres.
_SHORT_MM, _SHORT_THICKNESS_MM = 60.0, 5.0


def unit_in_mm(unit: str) -> float:
    """Millimetres in one ``mm``, ``cm``, ``m`` or ``um``. Raises UserError for any other unit."""
    if unit not in UNITS_MM:
        raise UserError(f"The model unit {unit} is unknown: give one of {', '.join(UNITS_MM)}.")
    return UNITS_MM[unit]


def check_shape(vertices: np.ndarray, triangles: np.ndarray, name: str) -> None:
    """Refuse (UserError) a mesh of too few triangles or without any thickness: vertices (N, 3), triangles (M, 3)."""
    if len(triangles) < _FEWEST_TRIANGLES:
        raise UserError(f"{name} has only {len(triangles)} triangles: a vessel needs at least {_FEWEST_TRIANGLES}, "
                        "export its whole surface.")
    spread = np.linalg.svd(vertices - vertices.mean(axis=0), compute_uv=False)
    if not spread[2] > max(_FLATTEST * spread[0], _SMALLEST_MM):
        raise UserError(f"{name} is flat, it has no thickness: export the vessel's closed surface.")


def check_size(vertices: np.ndarray, triangles: np.ndarray, unit: str, name: str) -> None:
    """Refuse (UserError) a closed surface that is too large or too small for a vessel, naming the unit to try.

    ``vertices`` (N, 3) in mm after conversion from ``unit``. Looked at are the diagonal of the bounding box and the
    mean thickness 4 V / A, which is the diameter of a tube.
    """
    extent = float(np.linalg.norm(np.ptp(vertices, axis=0)))
    thickness = 4 * enclosed_volume(vertices, triangles) / float(triangle_areas(vertices, triangles).sum())
    if _plausible(extent, thickness):
        return
    what = f"{name} is {extent:.3g} mm from end to end and {thickness:.3g} mm thick when read in {unit}"
    for other, size in UNITS_MM.items():
        factor = size / UNITS_MM[unit]
        if _plausible(extent * factor, thickness * factor):
            raise UserError(f"{what}, which no vessel is: it looks like {other}, say --model-unit {other}.")
    raise UserError(f"{what}, and in no other unit it is a vessel either: check the model's scale, "
                    f"{_EXTENT_MM[0]:g} to {_EXTENT_MM[1]:g} mm long and {_THICKNESS_MM[0]:g} to "
                    f"{_THICKNESS_MM[1]:g} mm thick are taken.")


def _plausible(extent: float, thickness: float) -> bool:
    thinnest = _SHORT_THICKNESS_MM if extent < _SHORT_MM else _THICKNESS_MM[0]
    return _EXTENT_MM[0] <= extent <= _EXTENT_MM[1] and thinnest <= thickness <= _THICKNESS_MM[1]
