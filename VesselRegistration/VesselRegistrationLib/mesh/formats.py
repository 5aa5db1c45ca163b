"""What mesh files hold: points, triangles and the coordinate system that the file names.

The files are decoded by VTK's readers. They report on a global output window and go on with half-read data, so their
messages are collected here and turned into one refusal. Slicer writes the coordinate system as ``SPACE=LPS`` or
``SPACE=RAS`` into the header or comment of VTK, STL, PLY and OBJ files and as the field array ``SPACE`` into VTP files.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkLogger, vtkOutputWindow, vtkStringOutputWindow
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkDataObject, vtkPolyData, vtkUnstructuredGrid
from vtkmodules.vtkFiltersCore import vtkStaticCleanPolyData, vtkTriangleFilter
from vtkmodules.vtkFiltersGeometry import vtkGeometryFilter
from vtkmodules.vtkIOGeometry import vtkOBJReader, vtkSTLReader
from vtkmodules.vtkIOLegacy import vtkGenericDataObjectReader
from vtkmodules.vtkIOXML import vtkXMLPolyDataReader

from ..errors import UserError
from .ply import read_ply
from .polydata import polydata

# Points closer than this fraction of the bounding box diagonal are one point: 0.3 micrometres for an aorta.
_MERGE_FRACTION = 1e-6
_BEYOND_ALL_BOUNDS = 1e9
_TROUBLE = ("error", "failed", "premature", "unexpected end")


@dataclass(frozen=True)
class RawMesh:
    """A mesh as its file has it: ``points`` (N, 3) float64, ``triangles`` (M, 3) int64, both in the file's own frame
    and unit; ``space`` is ``RAS``, ``LPS`` or None where the file names neither."""

    points: np.ndarray
    triangles: np.ndarray
    space: str | None


def read_raw(path: Path) -> RawMesh:
    """Read a VTP, VTK, STL, OBJ or PLY file, triangulate it and merge coincident points.

    Raises UserError where the file is missing, of another kind, damaged, without a surface or holds coordinates that
    are not numbers.
    """
    reader = _READERS.get(path.suffix.lower())
    if path.is_dir() or not path.exists():
        raise UserError(f"There is no model file {path.name}: give the path of a {_known()} file.")
    if reader is None:
        raise UserError(f"{path.name} is no model that can be read: give a {_known()} file.")
    try:
        with path.open("rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise UserError(f"{path.name} cannot be opened ({error.strerror}): check its permissions.") from error
    if empty:
        raise UserError(f"{path.name} is an empty file: export the model again.")
    with _vtk_messages() as messages:
        data, space = reader(path)
        text = _text(messages.GetOutput()).replace(str(path), "").lower()
        if "non-finite" in text:
            raise UserError(f"{path.name} has coordinates or normals that are not numbers: repair the model and "
                            "export it again.")
        if data is None or any(word in text for word in _TROUBLE):
            raise UserError(f"{path.name} is damaged or incomplete and cannot be read: export the model again.")
        surface = _surface(data, path)
        points, triangles = merged_triangles(surface, path.name)
    return RawMesh(points, triangles, space)


@contextmanager
def _vtk_messages() -> Iterator[vtkStringOutputWindow]:
    """Collect what VTK says instead of showing it."""
    window, previous = vtkStringOutputWindow(), vtkOutputWindow.GetInstance()
    verbosity = vtkLogger.GetCurrentVerbosityCutoff()
    vtkOutputWindow.SetInstance(window)
    vtkLogger.SetStderrVerbosity(vtkLogger.VERBOSITY_OFF)
    try:
        yield window
    finally:
        vtkOutputWindow.SetInstance(previous)
        vtkLogger.SetStderrVerbosity(verbosity)


def _read_vtp(path: Path) -> tuple[vtkDataObject | None, str | None]:
    reader = vtkXMLPolyDataReader()
    reader.SetFileName(str(path))
    reader.Update()
    named = reader.GetOutput().GetFieldData().GetAbstractArray("SPACE")
    texts = [named.GetVariantValue(k).ToString() for k in range(named.GetNumberOfValues())] if named else []
    return (None if reader.GetErrorCode() else reader.GetOutput()), _space_in(*(f"SPACE={text}" for text in texts))


def _read_vtk(path: Path) -> tuple[vtkDataObject | None, str | None]:
    reader = vtkGenericDataObjectReader()
    reader.SetFileName(str(path))
    reader.Update()
    return reader.GetOutput(), _space_in(reader.GetHeader())


def _read_stl(path: Path) -> tuple[vtkDataObject | None, str | None]:
    reader = vtkSTLReader()
    reader.SetFileName(str(path))
    reader.Update()
    return reader.GetOutput(), _space_in(reader.GetHeader())


def _read_obj(path: Path) -> tuple[vtkDataObject | None, str | None]:
    reader = vtkOBJReader()
    reader.SetFileName(str(path))
    reader.Update()
    return reader.GetOutput(), _space_in(reader.GetComment())


def _read_ply(path: Path) -> tuple[vtkDataObject | None, str | None]:
    mesh = read_ply(path)
    return polydata(mesh.points, mesh.offsets, mesh.connectivity), _space_in(*mesh.comments)


_READERS: dict[str, Callable[[Path], tuple[vtkDataObject | None, str | None]]] = {
    ".vtp": _read_vtp, ".vtk": _read_vtk, ".stl": _read_stl, ".obj": _read_obj, ".ply": _read_ply}

MODEL_ENDINGS = tuple(_READERS)
"""Endings of the files that can be read, in small letters."""


def _known() -> str:
    names = [suffix[1:].upper() for suffix in _READERS]
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _space_in(*texts: str | bytes | None) -> str | None:
    for text in texts:
        for space in ("RAS", "LPS"):
            if f"SPACE={space}" in _text(text):
                return space
    return None


def _text(value: str | bytes | None) -> str:
    """VTK hands out text as bytes where it is not UTF-8."""
    return value.decode("latin-1") if isinstance(value, bytes) else value or ""


def _surface(data: vtkDataObject, path: Path) -> vtkPolyData:
    """The file's surface as polygons; refuses other data and cells that name points which are not there."""
    if not isinstance(data, vtkPolyData | vtkUnstructuredGrid):
        raise UserError(f"{path.name} holds no surface but a {data.GetClassName().removeprefix('vtk')}: "
                        "export the vessel as a surface model.")
    cells = [data.GetPolys(), data.GetStrips()] if isinstance(data, vtkPolyData) else [data.GetCells()]
    for cell_array in cells:
        if not _sound(cell_array, data.GetNumberOfPoints()):
            raise UserError(f"{path.name} is damaged, its triangles name points that it does not hold: "
                            "export the model again.")
    if isinstance(data, vtkPolyData):
        return data
    outside = vtkGeometryFilter()
    outside.SetInputData(data)
    outside.Update()
    return outside.GetOutput()


def _sound(cells: vtkCellArray, point_count: int) -> bool:
    """Whether all cells lie within the list of point numbers, and these within the points."""
    ids = _connectivity(cells)
    offsets = vtk_to_numpy(cells.GetOffsetsArray()) if cells.GetNumberOfOffsets() else np.zeros(1, np.int64)
    return (offsets[0] == 0 and offsets[-1] == len(ids) and bool((np.diff(offsets) >= 0).all())
            and (len(ids) == 0 or bool(ids.min() >= 0 and ids.max() < point_count)))


def merged_triangles(surface: vtkPolyData, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Points (N, 3) float64 and triangles (M, 3) int64 with coincident points merged and collapsed triangles gone."""
    if surface.GetNumberOfPoints() == 0:
        raise UserError(f"{name} holds no points: export the model again.")
    points = vtk_to_numpy(surface.GetPoints().GetData())
    # VTK's search for coincident points crashes on coordinates beyond all bounds.
    bad = ~(np.abs(points) < _BEYOND_ALL_BOUNDS).all(axis=1)
    if bad.any():
        raise UserError(f"{name} has {int(bad.sum())} points whose coordinates are not numbers or beyond all bounds: "
                        "repair the model and export it again.")
    triangulate = vtkTriangleFilter()
    triangulate.SetInputData(surface)
    triangulate.PassLinesOff()
    triangulate.PassVertsOff()
    clean = vtkStaticCleanPolyData()
    clean.SetInputConnection(triangulate.GetOutputPort())
    clean.ToleranceIsAbsoluteOff()
    clean.SetTolerance(_MERGE_FRACTION)
    clean.ConvertPolysToLinesOff()
    clean.Update()
    merged = clean.GetOutput()
    if merged.GetNumberOfPolys() == 0:
        raise UserError(f"{name} holds no triangles but only points or lines: export the vessel's surface.")
    triangles = _connectivity(merged.GetPolys()).reshape(-1, 3).astype(np.int64)
    a, b, c = triangles.T
    return (vtk_to_numpy(merged.GetPoints().GetData()).astype(np.float64),
            triangles[(a != b) & (b != c) & (c != a)])


def _connectivity(cells: vtkCellArray) -> np.ndarray:
    if cells.GetNumberOfConnectivityIds() == 0:
        return np.zeros(0, np.int64)
    return vtk_to_numpy(cells.GetConnectivityArray())
