"""Where the search begins: a transform node that the user can move, or landmarks on model and X-rays."""

from collections.abc import Sequence

import numpy as np
import slicer

from ..errors import UserError
from ..pose.landmarks import LandmarkPose, Landmarks, pose_from_landmarks
from .volumeBridge import ijkToRas, viewFromVolume

PointNodes = Sequence[slicer.vtkMRMLMarkupsFiducialNode | None]


def setStart(transformNode: slicer.vtkMRMLLinearTransformNode, pose: np.ndarray, middle: np.ndarray) -> None:
    """Set the pose (4, 4, model RAS mm to world mm); handles turn the model about its ``middle`` (3,), RAS mm."""
    transformNode.SetCenterOfTransformation(*middle)
    if not np.allclose(slicer.util.arrayFromTransformMatrix(transformNode), pose, atol=1e-9):
        transformNode.SetMatrixTransformToParent(slicer.util.vtkMatrixFromArray(pose))


def showHandles(transformNode: slicer.vtkMRMLLinearTransformNode, visible: bool) -> None:
    """Show or hide the handles that move and turn a transform in the 3D views."""
    if transformNode.GetDisplayNode() is None:
        if not visible:
            return
        transformNode.CreateDefaultDisplayNodes()
    displayNode = transformNode.GetDisplayNode()
    displayNode.SetEditorScalingEnabled(False)
    displayNode.SetEditorVisibility(visible)
    displayNode.SetEditorVisibility3D(visible)


def landmarksOf(modelPoints: slicer.vtkMRMLMarkupsFiducialNode | None, xrayPoints: PointNodes,
                xrayNodes: Sequence[slicer.vtkMRMLScalarVolumeNode]) -> Landmarks:
    """Pairs of landmarks: the k-th point on the model goes with the k-th point on an X-ray.

    ``xrayPoints`` has a node, or None, for each X-ray. Points beyond the model's are left out.
    """
    onModel = _positions(modelPoints)
    points, pixels, views = [], [], []
    for number, (pointNode, xrayNode) in enumerate(zip(xrayPoints, xrayNodes, strict=True)):
        clicked = _positions(pointNode)
        count = min(len(clicked), len(onModel))
        inImage = np.column_stack([clicked[:count], np.ones(count)]) @ np.linalg.inv(ijkToRas(xrayNode)).T
        points.append(onModel[:count])
        pixels.append(inImage[:, :2])
        views.append(np.full(count, number))
    return Landmarks(np.vstack(points), np.vstack(pixels), np.concatenate(views))


def poseFromPoints(modelPoints: slicer.vtkMRMLMarkupsFiducialNode | None, xrayPoints: PointNodes,
                   xrayNodes: Sequence[slicer.vtkMRMLScalarVolumeNode]) -> LandmarkPose:
    """The pose that brings the landmarks to their pixels. Raises UserError where they cannot give one."""
    if countPoints(modelPoints) == 0:
        raise UserError("There is no landmark on the model: mark points on the model and on the X-ray, in the same "
                        "order.")
    return pose_from_landmarks(landmarksOf(modelPoints, xrayPoints, xrayNodes),
                               [viewFromVolume(node) for node in xrayNodes])


def markPoints(scene: slicer.vtkMRMLScene, pointNode: slicer.vtkMRMLMarkupsFiducialNode | None, name: str,
               onModelUnder: slicer.vtkMRMLTransformNode | None = None) -> slicer.vtkMRMLMarkupsFiducialNode:
    """The node for landmarks, made where there is none, ready for the user's clicks until he leaves that mode.

    Landmarks on the model lie under the transform that places it, so that they move with it.
    """
    if pointNode is None:
        pointNode = scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", scene.GenerateUniqueName(name))
        pointNode.CreateDefaultDisplayNodes()
        pointNode.SetControlPointLabelFormat("%d")
    pointNode.SetAndObserveTransformNodeID(onModelUnder.GetID() if onModelUnder else None)
    selection = scene.GetSingletonNode("Singleton", "vtkMRMLSelectionNode")
    interaction = scene.GetSingletonNode("Singleton", "vtkMRMLInteractionNode")
    if selection is not None and interaction is not None:
        selection.SetReferenceActivePlaceNodeClassName("vtkMRMLMarkupsFiducialNode")
        selection.SetActivePlaceNodeID(pointNode.GetID())
        interaction.SetPlaceModePersistence(1)
        interaction.SetCurrentInteractionMode(slicer.vtkMRMLInteractionNode.Place)
    return pointNode


def endMarking(scene: slicer.vtkMRMLScene) -> None:
    """Clicks in the views place no more landmarks."""
    interaction = scene.GetSingletonNode("Singleton", "vtkMRMLInteractionNode")
    if interaction is not None:
        interaction.SetPlaceModePersistence(0)
        interaction.SetCurrentInteractionMode(slicer.vtkMRMLInteractionNode.ViewTransform)


def countPoints(pointNode: slicer.vtkMRMLMarkupsFiducialNode | None) -> int:
    """How many landmarks a node holds."""
    return 0 if pointNode is None else pointNode.GetNumberOfDefinedControlPoints()


def _positions(pointNode: slicer.vtkMRMLMarkupsFiducialNode | None) -> np.ndarray:
    """Defined points (N, 3), mm in the node's own space: model RAS for landmarks on the model."""
    if pointNode is None:
        return np.zeros((0, 3))
    found, position = [], [0.0, 0.0, 0.0]
    for number in range(pointNode.GetNumberOfControlPoints()):
        if pointNode.GetNthControlPointPositionStatus(number) == slicer.vtkMRMLMarkupsNode.PositionDefined:
            pointNode.GetNthControlPointPosition(number, position)
            found.append(tuple(position))
    return np.array(found).reshape(-1, 3)
