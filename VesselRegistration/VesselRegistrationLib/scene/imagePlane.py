"""The X-ray as a textured plane at the detector, where the 3D views show it behind the model.

The texture is the image as the volume's display node windows it, so it follows frames and brightness by itself. It is
not saved with the scene: :func:`showImagePlane` gives it back to the plane of a scene that was loaded.
"""

import numpy as np
import slicer
import vtk

from ..geometry.carm import CArmView
from ..mesh.polydata import polydata
from .nodeRoles import ownNode

IMAGE_PLANE_ROLE = "imagePlane"


def showImagePlane(xrayNode: slicer.vtkMRMLScalarVolumeNode, view: CArmView) -> slicer.vtkMRMLModelNode:
    """Add or move the plane of an X-ray to the detector of a view; returns its model node."""
    planeNode = ownNode(xrayNode, IMAGE_PLANE_ROLE, "vtkMRMLModelNode", f"{xrayNode.GetName()} at the detector")
    planeNode.SetAndObservePolyData(imagePlane(view))
    if planeNode.GetDisplayNode() is None:
        planeNode.SetHideFromEditors(True)
        planeNode.SetSelectable(False)  # a click goes through to what lies in front
        planeNode.CreateDefaultDisplayNodes()
        displayNode = planeNode.GetDisplayNode()
        displayNode.SetColor(1.0, 1.0, 1.0)
        displayNode.LightingOff()
        displayNode.BackfaceCullingOff()
        displayNode.SetInterpolateTexture(True)
    planeNode.GetDisplayNode().SetTextureImageDataConnection(xrayNode.GetDisplayNode().GetOutputImageDataConnection())
    return planeNode


def imagePlane(view: CArmView) -> vtk.vtkPolyData:
    """The rectangle of the detector, world mm, with texture coordinates 0 to 1 from the first pixel to the last."""
    right, below = view.columns - 0.5, view.rows - 0.5
    corners = view.back_project(np.array([[-0.5, -0.5], [right, -0.5], [right, below], [-0.5, below]]), view.sid_mm)
    plane = polydata(corners, np.array([0, 4]), np.arange(4))
    texture = vtk.vtkFloatArray()
    texture.SetName("TextureCoordinates")
    texture.SetNumberOfComponents(2)
    for place in ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)):
        texture.InsertNextTuple2(*place)
    plane.GetPointData().SetTCoords(texture)
    return plane
