"""Fewer triangles where fewer will do."""

import numpy as np
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkFiltersCore import vtkQuadricDecimation

from .polydata import triangle_polydata
from .surface import SurfaceModel


def simplified(model: SurfaceModel, triangle_count: int) -> SurfaceModel:
    """The model with about ``triangle_count`` triangles (quadric decimation); itself when it has no more than that."""
    if len(model.triangles) <= triangle_count:
        return model
    decimation = vtkQuadricDecimation()
    decimation.SetInputData(triangle_polydata(model.vertices, model.triangles))
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
