"""A surface as a volume, for methods that need one."""

import numpy as np
from scipy import ndimage
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkImagingStencil import vtkImageStencilToImage, vtkPolyDataToImageStencil

from ..mesh.polydata import triangle_polydata
from ..mesh.surface import SurfaceModel

VOXEL_MM = 1.5
_FINER = 2
_MARGIN_VOXELS = 3


def attenuation_volume(model: SurfaceModel) -> tuple[np.ndarray, np.ndarray]:
    """Share of every voxel inside the model, float32 (x, y, z), and the 4x4 from voxel indices to model RAS mm."""
    fine = VOXEL_MM / _FINER
    low = model.vertices.min(axis=0) - _MARGIN_VOXELS * VOXEL_MM
    counts = np.ceil(np.ptp(model.vertices, axis=0) / VOXEL_MM + 2 * _MARGIN_VOXELS).astype(int) * _FINER
    stencil = vtkPolyDataToImageStencil()
    stencil.SetInputData(triangle_polydata(model.vertices, model.triangles))
    stencil.SetOutputOrigin(*(low + fine / 2))
    stencil.SetOutputSpacing(fine, fine, fine)
    stencil.SetOutputWholeExtent(0, int(counts[0]) - 1, 0, int(counts[1]) - 1, 0, int(counts[2]) - 1)
    image = vtkImageStencilToImage()
    image.SetInputConnection(stencil.GetOutputPort())
    image.SetInsideValue(1)
    image.SetOutsideValue(0)
    image.SetOutputScalarTypeToUnsignedChar()
    image.Update()
    output: vtkImageData = image.GetOutput()
    inside = vtk_to_numpy(output.GetPointData().GetScalars()).reshape(counts[::-1]).transpose(2, 1, 0)
    blocks = inside.reshape(*[side for count in counts for side in (count // _FINER, _FINER)])
    affine = np.diag([VOXEL_MM, VOXEL_MM, VOXEL_MM, 1.0])
    affine[:3, 3] = low + VOXEL_MM / 2
    return ndimage.gaussian_filter(blocks.mean(axis=(1, 3, 5), dtype=np.float32), 0.4), affine
