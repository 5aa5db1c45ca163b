"""The model where it stands in the world of the C-arm, as the two 3D views show it.

One model node under the pose's transform, with a display of its own for the view from the C-arm: there the picture is
mirrored, so the near side of a surface is what VTK takes for its back, and it is translucent to let the X-ray through.
"""

import numpy as np
import slicer

from ..geometry.carm import CArmView
from ..mesh.surface import SurfaceModel
from .modelBridge import MODEL_COLOR, setModelSurface
from .nodeRoles import ownNode

PLACED_ROLE = "placedModel"


def showPlacedModel(xrayNode: slicer.vtkMRMLScalarVolumeNode, model: SurfaceModel,
                    transformNode: slicer.vtkMRMLTransformNode) -> slicer.vtkMRMLModelNode:
    """Add or fill the placed model of an X-ray: ``model`` in its RAS mm under the transform to the world."""
    node = ownNode(xrayNode, PLACED_ROLE, "vtkMRMLModelNode", f"{model.name} in place")
    setModelSurface(node, model.vertices, model.triangles)
    if node.GetNumberOfDisplayNodes() < 2:
        node.SetHideFromEditors(True)
        fromCArm = xrayNode.GetScene().AddNewNodeByClass("vtkMRMLModelDisplayNode")
        fromCArm.SetColor(*MODEL_COLOR)
        fromCArm.SetBackfaceColorHSVOffset(0.0, 0.0, 0.0)  # the sides that are seen count as backs
        node.AddAndObserveDisplayNodeID(fromCArm.GetID())
    node.SetAndObserveTransformNodeID(transformNode.GetID())
    return node


def roomDisplay(placedNode: slicer.vtkMRMLModelNode) -> slicer.vtkMRMLModelDisplayNode:
    """How the placed model looks in the free 3D view."""
    return placedNode.GetNthDisplayNode(0)


def cArmDisplay(placedNode: slicer.vtkMRMLModelNode) -> slicer.vtkMRMLModelDisplayNode:
    """How the placed model looks from the C-arm."""
    return placedNode.GetNthDisplayNode(1)


def showNearSide(displayNode: slicer.vtkMRMLModelDisplayNode, view: CArmView) -> None:
    """Show only the side of a surface that faces the source; with both, a translucent one is twice as dense."""
    mirrored = bool(np.linalg.det(np.vstack([view.image_axes, view.beam_direction])) < 0)
    displayNode.SetFrontfaceCulling(mirrored)
    displayNode.SetBackfaceCulling(not mirrored)
