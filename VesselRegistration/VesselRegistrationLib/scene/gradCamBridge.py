"""What the vessel network looked at in an X-ray, as a coloured image over it (Grad-CAM)."""

import numpy as np
import slicer

from ..errors import UserError
from ..networks.normalisation import NETWORK_SIZE, normalise, resize
from ..networks.weights import load_card, load_network
from .maskBridge import networkOf
from .nodeRoles import nodeInRole, ownNode
from .volumeBridge import frameFromVolume, frameNumbers

_ROLE = "gradCam"
_FRAME = "HybridOR.gradCam.frame"
_COLORS_TAG = "HybridORHeat"
_SHADES = 128


def explainVessels(xrayNode: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLScalarVolumeNode:
    """Add or fill the image of an X-ray whose vessels have been found. Raises UserError where they have not."""
    from ..evaluation.grad_cam import deepest_layer, grad_cam

    name = networkOf(xrayNode)
    if name is None:
        raise UserError("There is nothing to explain yet: find the vessels first.")
    network = load_network(load_card(name))
    frame = frameFromVolume(xrayNode)
    rows, columns = frame.attenuation.shape
    seen = frame.usable
    filled = np.where(seen, frame.attenuation, np.median(frame.attenuation[seen])) if seen.any() else frame.attenuation
    image = normalise(resize(filled, NETWORK_SIZE, NETWORK_SIZE), resize(seen, NETWORK_SIZE, NETWORK_SIZE) > 0.99)
    heat = resize(grad_cam(network, image, deepest_layer(network, image)), rows, columns)
    volumeNode = ownNode(xrayNode, _ROLE, "vtkMRMLScalarVolumeNode", "Grad-CAM")
    volumeNode.SetHideFromEditors(True)
    slicer.util.updateVolumeFromArray(volumeNode, np.where(seen, heat, 0.0)[None].astype(np.float32))
    volumeNode.CopyOrientation(xrayNode)
    volumeNode.SetAttribute(_FRAME, str(frameNumbers(xrayNode)[0]))
    volumeNode.CreateDefaultDisplayNodes()
    displayNode = volumeNode.GetDisplayNode()
    displayNode.SetAndObserveColorNodeID(_colors(xrayNode.GetScene()).GetID())
    displayNode.AutoWindowLevelOff()
    displayNode.SetWindowLevelMinMax(0.0, 1.0)
    return volumeNode


def explanationOf(xrayNode: slicer.vtkMRMLScalarVolumeNode) -> slicer.vtkMRMLScalarVolumeNode | None:
    """The image for the frame that an X-ray shows, None where there is none."""
    node = nodeInRole(xrayNode, _ROLE)
    return node if node is not None and node.GetAttribute(_FRAME) == str(frameNumbers(xrayNode)[0]) else None


def showOver(sliceLogic: slicer.vtkMRMLSliceLogic, volumeNode: slicer.vtkMRMLScalarVolumeNode,
             opacity: float) -> None:
    """Lay the image over the X-ray of a slice view, in place of the model."""
    composite = sliceLogic.GetSliceCompositeNode()
    composite.SetForegroundVolumeID(volumeNode.GetID())
    composite.SetForegroundOpacity(opacity)


def _colors(scene: slicer.vtkMRMLScene) -> slicer.vtkMRMLColorTableNode:
    """From black over red and yellow to white."""
    table = scene.GetSingletonNode(_COLORS_TAG, "vtkMRMLColorTableNode")
    if table is None:
        table = slicer.vtkMRMLColorTableNode()
        table.SetName("HybridOR heat")
        table.SetSingletonTag(_COLORS_TAG)
        table.SetTypeToUser()
        table = scene.AddNode(table)
        table.SetNumberOfColors(_SHADES)
        for number, share in enumerate(np.linspace(0.0, 1.0, _SHADES)):
            table.SetColor(number, f"{share:.2f}", *np.clip(3.0 * share - np.array([0.0, 1.0, 2.0]), 0.0, 1.0), 1.0)
    return table
