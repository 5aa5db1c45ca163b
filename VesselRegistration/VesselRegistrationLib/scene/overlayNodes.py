"""What lies on an X-ray in its slice view: labelmaps, the model projected flat, its thickness as a coloured image."""

import numpy as np
import slicer

from ..mesh.surface import SurfaceModel
from .modelBridge import MODEL_COLOR, setModelSurface
from .nodeRoles import ownNode
from .volumeBridge import ijkToRas, setLabelmapPixels

MASK_LABEL = 1
SILHOUETTE_LABEL = 2
TRUE_POSITIVE_LABEL = 3
FALSE_POSITIVE_LABEL = 4
FALSE_NEGATIVE_LABEL = 5

OVERLAY_OPACITY = 0.4

_COLOR_TABLE_TAG = "HybridOROverlay"
_SHADES_TAG = "HybridORShades"
_LABELS = (("outside", (0.0, 0.0, 0.0, 0.0)), ("vessel mask", (0.25, 0.75, 0.95, 1.0)),
           ("registered model", (*MODEL_COLOR, 1.0)), ("model and vessel mask", (1.0, 1.0, 0.0, 1.0)),
           ("model only", (1.0, 0.0, 1.0, 1.0)), ("vessel mask only", (0.0, 1.0, 1.0, 1.0)))
_SHADES = 64
_THINNEST_MM = 1e-3


def showLabelmap(xrayNode: slicer.vtkMRMLScalarVolumeNode, role: str, name: str,
                 pixels: np.ndarray) -> slicer.vtkMRMLLabelMapVolumeNode:
    """Add or fill the labelmap that an X-ray keeps in a role with labels (rows, columns)."""
    labelmapNode = ownNode(xrayNode, role, "vtkMRMLLabelMapVolumeNode", name)
    setLabelmapPixels(labelmapNode, xrayNode, pixels)
    if labelmapNode.GetDisplayNode() is None:
        displayNode = xrayNode.GetScene().AddNewNodeByClass("vtkMRMLLabelMapVolumeDisplayNode")
        displayNode.SetAndObserveColorNodeID(_labelColors(xrayNode.GetScene()).GetID())
        labelmapNode.SetAndObserveDisplayNodeID(displayNode.GetID())
    return labelmapNode


def showFlattened(xrayNode: slicer.vtkMRMLScalarVolumeNode, model: SurfaceModel,
                  projection: np.ndarray) -> slicer.vtkMRMLModelNode:
    """Lay the model, projected by ``projection`` (3, 4) model RAS mm to pixels, flat on an X-ray."""
    flatNode = ownNode(xrayNode, "projectedModel", "vtkMRMLModelNode", "Projected model")
    isNew = flatNode.GetDisplayNode() is None
    setModelSurface(flatNode, *_flatten(model, projection, xrayNode))
    if isNew:
        displayNode = flatNode.GetDisplayNode()
        displayNode.Visibility2DOn()
        displayNode.Visibility3DOff()
        displayNode.SetSliceDisplayModeToProjection()
        displayNode.SetSliceIntersectionOpacity(OVERLAY_OPACITY)
    return flatNode


def showThickness(xrayNode: slicer.vtkMRMLScalarVolumeNode,
                  thicknessMm: np.ndarray) -> slicer.vtkMRMLScalarVolumeNode:
    """Show how thick the model is along each ray, (rows, columns) mm, as a shaded image; clear where it is not."""
    volumeNode = ownNode(xrayNode, "thickness", "vtkMRMLScalarVolumeNode", "Projected thickness")
    slicer.util.updateVolumeFromArray(volumeNode, thicknessMm[None].astype(np.float32))
    volumeNode.CopyOrientation(xrayNode)
    if volumeNode.GetDisplayNode() is None:
        volumeNode.CreateDefaultDisplayNodes()
    displayNode = volumeNode.GetDisplayNode()
    displayNode.SetAndObserveColorNodeID(_shades(xrayNode.GetScene()).GetID())
    displayNode.AutoWindowLevelOff()
    displayNode.SetWindowLevelMinMax(0.0, max(float(thicknessMm.max()), 1.0))
    displayNode.AutoThresholdOff()
    displayNode.SetThreshold(_THINNEST_MM, 1e6)
    displayNode.ApplyThresholdOn()
    return volumeNode


def comparisonLabels(silhouette: np.ndarray, mask: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Labels (rows, columns) of where model and vessel mask agree; 0 where neither is or pixels do not count."""
    labels = np.zeros(silhouette.shape, np.uint8)
    labels[silhouette & mask] = TRUE_POSITIVE_LABEL
    labels[silhouette & ~mask] = FALSE_POSITIVE_LABEL
    labels[mask & ~silhouette] = FALSE_NEGATIVE_LABEL
    labels[~counted] = 0
    return labels


def _flatten(model: SurfaceModel, projection: np.ndarray,
             xrayNode: slicer.vtkMRMLScalarVolumeNode) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (N, 3) in the image plane, RAS mm of the scene, and one of the two layers of triangles that cover it.

    A closed surface covers its silhouette once with the triangles that face the source and once with the others; one
    layer is enough, and it is not twice as opaque.
    """
    homogeneous = model.vertices @ projection[:, :3].T + projection[:, 3]
    pixels = homogeneous[:, :2] / homogeneous[:, 2:]
    a, b, c = (pixels[model.triangles[:, corner]] for corner in range(3))
    area = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    inPlane = np.column_stack([pixels, np.zeros(len(pixels)), np.ones(len(pixels))])
    return (inPlane @ ijkToRas(xrayNode).T)[:, :3], model.triangles[area > 0]


def _labelColors(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLColorTableNode:
    """The colours of all labels; a scene of an earlier version may bring a table with fewer."""
    table = scene.GetSingletonNode(_COLOR_TABLE_TAG, "vtkMRMLColorTableNode")
    if table is None:
        table = _addColors(scene, _COLOR_TABLE_TAG, "HybridOR overlay")
    if table.GetNumberOfColors() < len(_LABELS):
        table.SetNumberOfColors(len(_LABELS))
        for label, (name, color) in enumerate(_LABELS):
            table.SetColor(label, name, *color)
    return table


def _shades(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLColorTableNode:
    """From a dark to a light tone of the model's colour."""
    table = scene.GetSingletonNode(_SHADES_TAG, "vtkMRMLColorTableNode")
    if table is None:
        table = _addColors(scene, _SHADES_TAG, "HybridOR shades")
        table.SetNumberOfColors(_SHADES)
        color = np.array(MODEL_COLOR)
        for number, share in enumerate(np.linspace(0.0, 1.0, _SHADES)):
            shade = color * (0.35 + 0.9 * share) + 0.35 * share**2
            table.SetColor(number, f"{share:.2f}", *np.clip(shade, 0.0, 1.0), 1.0)
    return table


def _addColors(scene: slicer.vtkMRMLScene, tag: str, name: str) -> slicer.vtkMRMLColorTableNode:
    table = slicer.vtkMRMLColorTableNode()
    table.SetName(name)
    table.SetSingletonTag(tag)
    table.SetTypeToUser()
    return scene.AddNode(table)
