"""Fewer triangles where fewer will do."""

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
from vtkmodules.vtkFiltersCore import vtkQuadricDecimation

from .surface import SurfaceModel


def simplified(model: SurfaceModel, triangle_count: int) -> SurfaceModel:
    """The model with about ``triangle_count`` triangles (quadric decimation); itself when it has no more than that."""
    if len(model.triangles) <= triangle_count:
        return model
    points = vtkPoints()
    points.SetData(numpy_to_vtk(model.vertices, deep=True))
    cells = vtkCellArray()
    cells.SetData(3, numpy_to_vtkIdTypeArray(model.triangles.astype(np.int64).ravel(), deep=True))
    surface = vtkPolyData()
    surface.SetPoints(points)
    surface.SetPolys(cells)
    decimation = vtkQuadricDecimation()
    decimation.SetInputData(surface)
    decimation.SetTargetReduction(1 - triangle_count / len(model.triangles))
    decimation.VolumePreservationOn()
    decimation.Update()
    thinned = decimation.GetOutput()
    return SurfaceModel(
        vtk_to_numpy(thinned.GetPoints().GetData()).astype(np.float64),
        vtk_to_numpy(thinned.GetPolys().GetConnectivityArray()).reshape(-1, 3).astype(np.int32),
        model.name,
        model.notes,
    )
