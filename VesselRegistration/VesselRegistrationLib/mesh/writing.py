"""From a surface model to a mesh file that Slicer and this package read back in the right place."""

import os
import tempfile
from os import PathLike
from pathlib import Path

import numpy as np
from vtkmodules.vtkCommonCore import vtkStringArray
from vtkmodules.vtkCommonDataModel import vtkPolyData
from vtkmodules.vtkIOGeometry import vtkSTLWriter
from vtkmodules.vtkIOPLY import vtkPLYWriter
from vtkmodules.vtkIOXML import vtkXMLPolyDataWriter

from ..errors import UserError
from .polydata import triangle_polydata
from .surface import SurfaceModel

_SPACE = "LPS"
_RAS_TO_LPS = np.array([-1.0, -1.0, 1.0])


def write_model(path: str | PathLike[str], model: SurfaceModel, matrix: np.ndarray | None = None) -> None:
    """Write a model as VTP, STL or PLY, LPS mm, with the coordinate system in the header as Slicer writes it.

    ``matrix`` (4x4, RAS mm to RAS mm) moves the model first. An existing file is replaced in one step. Raises
    UserError for another suffix or where the file cannot be written.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in (".vtp", ".stl", ".ply"):
        raise UserError(f"{path.name} is no kind of model that can be written: give a name ending in vtp, stl or ply.")
    placed = model if matrix is None else model.transformed(matrix)
    surface = triangle_polydata(placed.vertices * _RAS_TO_LPS, placed.triangles)
    try:
        handle, name = tempfile.mkstemp(suffix=suffix, dir=path.parent)
    except OSError as error:
        raise UserError(f"{path.name} cannot be written ({error.strerror}): give a folder that can be.") from error
    os.close(handle)
    temporary = Path(name)
    try:
        writer = _writer(suffix, surface)
        writer.SetFileName(name)
        if not writer.Write() or writer.GetErrorCode() or temporary.stat().st_size == 0:
            raise UserError(f"{path.name} cannot be written: is the disk full?")
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise UserError(f"{path.name} cannot be written ({error.strerror}): give a folder that can be.") from error
    finally:
        temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _writer(suffix: str, surface: vtkPolyData) -> vtkXMLPolyDataWriter | vtkSTLWriter | vtkPLYWriter:
    if suffix == ".vtp":
        space = vtkStringArray()
        space.SetName("SPACE")
        space.InsertNextValue(_SPACE)
        surface.GetFieldData().AddArray(space)
        xml = vtkXMLPolyDataWriter()
        xml.SetInputData(surface)
        return xml
    if suffix == ".stl":
        stl = vtkSTLWriter()
        stl.SetFileTypeToBinary()
        stl.SetHeader(f"HybridOR vessel model. SPACE={_SPACE}")
        stl.SetInputData(surface)
        return stl
    ply = vtkPLYWriter()
    ply.SetFileTypeToBinary()
    ply.AddComment(f"SPACE={_SPACE}")
    ply.SetInputData(surface)
    return ply
