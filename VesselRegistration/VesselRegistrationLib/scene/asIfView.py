"""A view that has not been exposed, shown as if it were: an empty frame on which the model can be projected."""

from dataclasses import fields
from pathlib import Path
from types import MappingProxyType

import numpy as np
import slicer

from ..dicom.frame import HeaderGeometry, XAFrame
from ..geometry.carm import CArmView
from .nodeRoles import ROLE_PREFIX, nodeInRole
from .volumeBridge import AS_IF_ATTRIBUTE, addXrayVolume, updateXrayVolume

_ROLE = "asIf"
_SOURCE = "suggested view"


def showAsIf(xrayNode: slicer.vtkMRMLScalarVolumeNode, view: CArmView) -> slicer.vtkMRMLScalarVolumeNode:
    """An empty volume node with the geometry of a suggested second view; each X-ray keeps one, which is used again.

    Show it as the second X-ray of :class:`GuidanceViews` to see the model as that view would. It says of itself that it
    was not exposed, and registration refuses it.
    """
    empty = np.zeros((view.rows, view.columns), np.float32)
    geometry = _geometry(view)
    frame = XAFrame(path=Path("as if"), frame_number=0, frame_count=1, attenuation=empty,
                    usable=np.ones(empty.shape, bool), intensity_relationship="LIN", geometry=geometry)
    name = f"As if {view.clinical_angles.replace(' /', ',')}"
    node = nodeInRole(xrayNode, _ROLE)
    if node is None:
        node = addXrayVolume(xrayNode.GetScene(), frame, name)
        node.SetAttribute(AS_IF_ATTRIBUTE, "1")
        xrayNode.SetNodeReferenceID(ROLE_PREFIX + _ROLE, node.GetID())
    else:
        updateXrayVolume(node, frame)
        node.SetName(name)
    return node


def removeAsIf(xrayNode: slicer.vtkMRMLScalarVolumeNode) -> None:
    """Remove the preview of an X-ray, if there is one."""
    node = nodeInRole(xrayNode, _ROLE)
    if node is not None:
        xrayNode.GetScene().RemoveNode(node)


def _geometry(view: CArmView) -> HeaderGeometry:
    """The view's values under the names that a header's values have; all of them suggested."""
    names = {field.name for field in fields(HeaderGeometry)} - {"sources"}
    values = {name: getattr(view, name) for name in names}
    return HeaderGeometry(**values, sources=MappingProxyType(dict.fromkeys(names, _SOURCE)))
