"""Region of interest: a markups box on the X-ray volume, and the pixel rectangle that it means."""

from itertools import product

import numpy as np
import slicer

from ..errors import UserError
from .volumeBridge import ijkToRas

THICKNESS_MM = 20.0

Rectangle = tuple[int, int, int, int]
"""X0, Y0, X1, Y1: first col and row inside, first col and row beyond."""


def placeRoi(roiNode: slicer.vtkMRMLMarkupsROINode, volumeNode: slicer.vtkMRMLScalarVolumeNode,
             rectangle: Rectangle) -> None:
    """Lay an ROI node around the pixels of a rectangle, upright in the image and of a fixed thickness."""
    x0, y0, x1, y1 = rectangle
    edges = np.array([[x0 - 0.5, y0 - 0.5, 0.0, 1.0], [x1 - 0.5, y1 - 0.5, 0.0, 1.0]])
    corners = (edges @ ijkToRas(volumeNode).T)[:, :3]
    roiNode.SetCenterWorld(*corners.mean(axis=0))
    width, height, _ = np.abs(corners[1] - corners[0])
    roiNode.SetSizeWorld(width, height, THICKNESS_MM)
    roiNode.CreateDefaultDisplayNodes()
    displayNode = roiNode.GetDisplayNode()
    displayNode.SetFillVisibility(False)  # the X-ray is to be seen inside
    displayNode.SetPropertiesLabelVisibility(False)
    displayNode.SetHandlesInteractive(True)
    displayNode.SetScaleHandleVisibility(True)
    displayNode.SetTranslationHandleVisibility(True)
    displayNode.SetRotationHandleVisibility(False)  # the region is upright in the image


def removeMarkups(markupsNode: slicer.vtkMRMLMarkupsNode) -> None:
    """Take a region or landmarks out of the views, and then out of the scene."""
    displayNode = markupsNode.GetDisplayNode()
    if displayNode is not None:
        displayNode.SetVisibility(False)
        markupsNode.GetScene().RemoveNode(displayNode)
    markupsNode.GetScene().RemoveNode(markupsNode)


def rectangleFromRoi(roiNode: slicer.vtkMRMLMarkupsROINode,
                     volumeNode: slicer.vtkMRMLScalarVolumeNode) -> Rectangle:
    """The pixels whose centres lie in an ROI node's box, cut to the image.

    Raises UserError where the box holds no pixel of the image.
    """
    size, boxToRas = roiNode.GetSize(), slicer.util.arrayFromVTKMatrix(roiNode.GetObjectToWorldMatrix())
    corners = np.array([[*corner, 1.0] for corner in product(*((-length / 2, length / 2) for length in size))])
    pixels = corners @ (np.linalg.inv(ijkToRas(volumeNode)) @ boxToRas).T
    columns, rows, _ = volumeNode.GetImageData().GetDimensions()
    # A box on pixel edges must not lose a pixel to rounding.
    first = np.ceil(pixels.min(axis=0) - 1e-6).astype(int)
    beyond = np.floor(pixels.max(axis=0) + 1e-6).astype(int) + 1
    x0, y0 = max(first[0], 0), max(first[1], 0)
    x1, y1 = min(beyond[0], columns), min(beyond[1], rows)
    if x0 >= x1 or y0 >= y1:
        raise UserError("The region of interest lies outside the X-ray: move it over the vessels, or use the whole "
                        "image.")
    return int(x0), int(y0), int(x1), int(y1)
