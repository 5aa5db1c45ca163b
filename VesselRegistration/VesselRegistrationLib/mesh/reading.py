"""From a mesh file to the surface that everything else works on."""

from dataclasses import replace
from os import PathLike
from pathlib import Path

import numpy as np
from vtkmodules.vtkCommonDataModel import vtkPolyData

from ..errors import UserError
from .checks import check_shape, check_size, unit_in_mm
from .formats import merged_triangles, read_raw
from .mending import mend
from .surface import SurfaceModel

COORDINATE_SYSTEMS = ("RAS", "LPS")

_LPS_TO_RAS = np.array([-1.0, -1.0, 1.0])


def read_model(path: str | PathLike[str], coordinate_system: str | None = None, unit: str = "mm") -> SurfaceModel:
    """Read a VTP, VTK, STL, OBJ or PLY file as a closed surface, RAS mm.

    The coordinate system is ``coordinate_system`` (``RAS`` or ``LPS``) where given, else what the file's header names,
    else LPS. ``unit`` (``mm``, ``cm``, ``m``, ``um``) is that of the file's coordinates. Polygons are triangulated,
    coincident points merged, openings capped and the surface turned outward; the model's notes tell all this.
    Raises UserError where the file cannot be read or cannot be a vessel.
    """
    path = Path(path)
    if coordinate_system not in (None, *COORDINATE_SYSTEMS):
        raise UserError(f"The coordinate system {coordinate_system} is unknown: give RAS or LPS.")
    scale = unit_in_mm(unit)
    raw = read_raw(path)
    space, note = _coordinate_system(coordinate_system, raw.space)
    points = raw.points * scale
    if space == "LPS":
        points *= _LPS_TO_RAS
    return _closed_surface(points, raw.triangles, unit, path.name, note)


def model_from_polydata(mesh: vtkPolyData, name: str) -> SurfaceModel:
    """A mesh that is in RAS mm already, as those of a scene are, as a closed surface named ``name``.

    It is mended, and refused with UserError, as one from a file.
    """
    points, triangles = merged_triangles(mesh, name)
    return replace(_closed_surface(points, triangles, "mm", name), name=name)


def _closed_surface(points: np.ndarray, triangles: np.ndarray, unit: str, name: str, *notes: str) -> SurfaceModel:
    check_shape(points[np.unique(triangles)], triangles, name)
    mended = mend(points, triangles)
    check_size(mended.vertices, mended.triangles, unit, name)
    return SurfaceModel(mended.vertices, mended.triangles, notes=(*notes, *mended.notes))


def _coordinate_system(asked: str | None, named: str | None) -> tuple[str, str]:
    if asked and named and asked != named:
        return asked, f"Coordinates were taken as {asked}, as asked, although the file says {named}."
    if asked:
        return asked, f"Coordinates were taken as {asked}, as asked."
    if named:
        return named, f"Coordinates are {named}, as the file says."
    return "LPS", "The file names no coordinate system; LPS was assumed."
