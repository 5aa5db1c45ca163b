"""Meshes in VTK's form."""

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData


def polydata(points: np.ndarray, offsets: np.ndarray, connectivity: np.ndarray) -> vtkPolyData:
    """VTK's form of points (N, 3) and polygons; polygon k has points ``connectivity[offsets[k]:offsets[k + 1]]``."""
    vtk_points, polygons, surface = vtkPoints(), vtkCellArray(), vtkPolyData()
    vtk_points.SetData(numpy_to_vtk(np.ascontiguousarray(points, np.float64), deep=True))
    polygons.SetData(numpy_to_vtkIdTypeArray(np.ascontiguousarray(offsets, np.int64), deep=True),
                     numpy_to_vtkIdTypeArray(np.ascontiguousarray(connectivity, np.int64), deep=True))
    surface.SetPoints(vtk_points)
    surface.SetPolys(polygons)
    return surface


def triangle_polydata(vertices: np.ndarray, triangles: np.ndarray) -> vtkPolyData:
    """VTK's form, in memory of its own, of vertices (N, 3) and triangles (M, 3)."""
    return polydata(vertices, np.arange(0, 3 * len(triangles) + 1, 3), np.ravel(triangles))
