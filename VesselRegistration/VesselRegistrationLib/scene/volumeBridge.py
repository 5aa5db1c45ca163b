"""X-ray frames as volume nodes, and back.

A volume lies as Slicer's own XA import lays it: pixel (col, row) at RAS (-col, -row, 0) times the spacing in mm. Its
scalars are minus the attenuation, so that contrast is dark, as an angiogram is looked at. What the header says stands
in the node's attributes, and apart from it what the user gave instead; nothing there identifies the patient.
"""

import json
from dataclasses import asdict, fields, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import slicer
import vtk

from ..dicom.frame import HeaderGeometry, XAFrame
from ..dicom.overrides import GIVEN_BY_USER, GeometryOverrides
from ..errors import UserError
from ..geometry.carm import CArmView
from .sequenceBridge import sequenceItems

HEADER_PREFIX = "HybridOR.header."
FRAME_PREFIX = "HybridOR.frame."
GIVEN_PREFIX = "HybridOR.given."
USABLE_ROLE = "HybridOR.usable"
AS_IF_ATTRIBUTE = "HybridOR.asIf"
DISPLAY_PERCENTILES = (0.5, 99.5)

_FRAME_FACTS = ("frame_number", "frame_count", "intensity_relationship", "subtracted", "frame_time_ms", "body_part")


def addXrayVolume(scene: slicer.vtkMRMLScene, frame: XAFrame,
                  name: str | None = None) -> slicer.vtkMRMLScalarVolumeNode:
    """A new volume node that shows a frame, named after its angles where no name is given."""
    volumeNode = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name or _title(frame))
    updateXrayVolume(volumeNode, frame)
    return volumeNode


def updateXrayVolume(volumeNode: slicer.vtkMRMLScalarVolumeNode, frame: XAFrame) -> None:
    """Let an X-ray volume node show another frame; what the user gave about the geometry stays."""
    fillXrayVolume(volumeNode, frame)
    _setUsable(volumeNode, frame.usable)
    _setWindow(volumeNode, frame)


def fillXrayVolume(volumeNode: slicer.vtkMRMLScalarVolumeNode, frame: XAFrame) -> None:
    """Pixels and header of a frame for a volume node that need not be in a scene."""
    slicer.util.updateVolumeFromArray(volumeNode, -frame.attenuation[None])
    geometry = frame.geometry
    volumeNode.SetOrigin(0.0, 0.0, 0.0)
    volumeNode.SetSpacing(geometry.column_spacing_mm or 1.0, geometry.row_spacing_mm or 1.0, 1.0)
    volumeNode.SetIJKToRASDirections(-1, 0, 0, 0, -1, 0, 0, 0, 1)
    _writeAttributes(volumeNode, HEADER_PREFIX, _geometryValues(geometry))
    _writeAttributes(volumeNode, FRAME_PREFIX, {name: getattr(frame, name) for name in _FRAME_FACTS})


def frameFromVolume(volumeNode: slicer.vtkMRMLScalarVolumeNode) -> XAFrame:
    """The frame that a volume node shows, with the geometry of :func:`geometryFromVolume`.

    A volume of other origin counts as displayed brightness without a header. Raises UserError where it is no single
    gray image, or only the preview of a view that was not exposed.
    """
    if volumeNode.GetAttribute(AS_IF_ATTRIBUTE):
        raise UserError(f"{volumeNode.GetName()} was not exposed, it only shows what would be seen: choose a real "
                        "X-ray.")
    attenuation = -_pixels(volumeNode).astype(np.float32)
    attenuation.flags.writeable = False
    facts = _readAttributes(volumeNode, FRAME_PREFIX)
    return XAFrame(path=Path(volumeNode.GetName().replace("/", ",")), frame_number=facts.get("frame_number", 0),
                   frame_count=facts.get("frame_count", 1), attenuation=attenuation, usable=usablePixels(volumeNode),
                   intensity_relationship=facts.get("intensity_relationship", "DISP"),
                   geometry=geometryFromVolume(volumeNode), subtracted=facts.get("subtracted", False),
                   frame_time_ms=facts.get("frame_time_ms"), body_part=facts.get("body_part", ""))


def usablePixels(volumeNode: slicer.vtkMRMLScalarVolumeNode) -> np.ndarray:
    """The pixels (rows, columns) bool of an X-ray volume that lie in front of the shutters."""
    usableNode = volumeNode.GetNodeReference(USABLE_ROLE)
    return np.ones(_pixels(volumeNode).shape, bool) if usableNode is None else _pixels(usableNode) > 0


def setHeaderGeometry(volumeNode: slicer.vtkMRMLScalarVolumeNode, geometry: HeaderGeometry) -> None:
    """Note on a volume that something else loaded what its DICOM header says."""
    _writeAttributes(volumeNode, HEADER_PREFIX, _geometryValues(geometry))


def geometryFromVolume(volumeNode: slicer.vtkMRMLScalarVolumeNode) -> HeaderGeometry:
    """Header geometry noted on a volume node, with what the user gave in its place."""
    header = _readAttributes(volumeNode, HEADER_PREFIX)
    sources = header.pop("sources", {})
    given = {name: value for name, value in asdict(givenGeometry(volumeNode)).items() if value is not None}
    spacing = given.pop("pixel_spacing_mm", None)
    if spacing is not None:
        given |= {"row_spacing_mm": spacing, "column_spacing_mm": spacing}
    values: dict[str, Any] = header | given
    for name in ("table_shift_mm", "principal_point"):
        if name in values:
            values[name] = tuple(values[name])
    return HeaderGeometry(**values, sources=MappingProxyType(sources | dict.fromkeys(given, GIVEN_BY_USER)))


def viewFromVolume(volumeNode: slicer.vtkMRMLScalarVolumeNode) -> CArmView:
    """The C-arm view of a volume node, without a look at its pixels; quick enough for every move of a slider.

    Raises UserError where the volume holds no image, and where its geometry is incomplete or impossible.
    """
    image = volumeNode.GetImageData()
    if image is None or image.GetNumberOfPoints() == 0:
        raise UserError(f"The volume {volumeNode.GetName()} holds no image: load the fluoroscopy again.")
    columns, rows, _ = image.GetDimensions()
    pixels = np.broadcast_to(np.float32(0.0), (rows, columns))  # takes no memory
    return XAFrame(path=Path(volumeNode.GetName().replace("/", ",")), frame_number=0, frame_count=1,
                   attenuation=pixels, usable=pixels == 0, intensity_relationship="DISP",
                   geometry=geometryFromVolume(volumeNode)).view()


def asIfNote(volumeNode: slicer.vtkMRMLScalarVolumeNode) -> str:
    """What to write on a view that was not exposed; empty for X-rays."""
    return "As if: not exposed" if volumeNode.GetAttribute(AS_IF_ATTRIBUTE) else ""


def frameNumbers(volumeNode: slicer.vtkMRMLScalarVolumeNode) -> tuple[int, int]:
    """Number of the frame that a volume shows (0-based), and how many its run has."""
    facts = _readAttributes(volumeNode, FRAME_PREFIX)
    return facts.get("frame_number", 0), facts.get("frame_count", 1)


def givenGeometry(volumeNode: slicer.vtkMRMLScalarVolumeNode) -> GeometryOverrides:
    """What the user gave about the geometry of a volume node."""
    return GeometryOverrides(**_readAttributes(volumeNode, GIVEN_PREFIX))


def giveGeometry(volumeNode: slicer.vtkMRMLScalarVolumeNode, **values: float | None) -> None:
    """Note values of the user, named as in GeometryOverrides; None gives the word back to the header.

    A volume that shows a sequence loses its attributes to those of the next item, so all items get them too. Raises
    UserError where a value is impossible, and then changes nothing.
    """
    given = replace(givenGeometry(volumeNode), **values)
    for node in (volumeNode, *sequenceItems(volumeNode)):
        _writeAttributes(node, GIVEN_PREFIX, asdict(given))


def ijkToRas(volumeNode: slicer.vtkMRMLVolumeNode) -> np.ndarray:
    """4x4: (col, row, 0, 1) of a volume to RAS mm of the scene."""
    matrix = vtk.vtkMatrix4x4()
    volumeNode.GetIJKToRASMatrix(matrix)
    return slicer.util.arrayFromVTKMatrix(matrix)


def setLabelmapPixels(labelmapNode: slicer.vtkMRMLLabelMapVolumeNode, volumeNode: slicer.vtkMRMLScalarVolumeNode,
                      pixels: np.ndarray) -> None:
    """Fill a labelmap node with labels 0 to 255 on the ``pixels`` (rows, columns) of an X-ray volume."""
    slicer.util.updateVolumeFromArray(labelmapNode, pixels[None].astype(np.uint8))
    labelmapNode.CopyOrientation(volumeNode)


def _geometryValues(geometry: HeaderGeometry) -> dict[str, Any]:
    values = {field.name: getattr(geometry, field.name) for field in fields(geometry)}
    return values | {"sources": dict(geometry.sources)}


def _title(frame: XAFrame) -> str:
    """What to call an X-ray without naming a patient or a file."""
    return "X-ray" if frame.geometry.missing() else f"X-ray {frame.view().clinical_angles.replace(' /', ',')}"


def _pixels(volumeNode: slicer.vtkMRMLVolumeNode) -> np.ndarray:
    """The pixels (rows, columns) of a volume node that is one gray image."""
    image = volumeNode.GetImageData()
    if image is None or image.GetNumberOfPoints() == 0:
        raise UserError(f"The volume {volumeNode.GetName()} holds no image: load the fluoroscopy again.")
    if image.GetNumberOfScalarComponents() != 1 or image.GetDimensions()[2] != 1:
        raise UserError(f"The volume {volumeNode.GetName()} is not a single gray image: choose one X-ray frame.")
    return slicer.util.arrayFromVolume(volumeNode)[0]


def _setUsable(volumeNode: slicer.vtkMRMLScalarVolumeNode, usable: np.ndarray) -> None:
    """Keep a labelmap of the pixels in front of the shutters beside the volume, only where there are shutters."""
    usableNode = volumeNode.GetNodeReference(USABLE_ROLE)
    if usable.all():
        if usableNode is not None:
            volumeNode.GetScene().RemoveNode(usableNode)
        return
    if usableNode is None:
        usableNode = volumeNode.GetScene().AddNewNodeByClass("vtkMRMLLabelMapVolumeNode",
                                                             f"{volumeNode.GetName()} usable area")
        volumeNode.SetNodeReferenceID(USABLE_ROLE, usableNode.GetID())
    setLabelmapPixels(usableNode, volumeNode, usable)


def _setWindow(volumeNode: slicer.vtkMRMLScalarVolumeNode, frame: XAFrame) -> None:
    """Window the display to the bulk of the usable pixels."""
    volumeNode.CreateDefaultDisplayNodes()
    seen = frame.attenuation[frame.usable] if frame.usable.any() else frame.attenuation
    low, high = np.percentile(-seen, DISPLAY_PERCENTILES)
    displayNode = volumeNode.GetDisplayNode()
    displayNode.AutoWindowLevelOff()
    displayNode.SetWindowLevelMinMax(float(low), float(max(high, low + 1e-6)))


def _writeAttributes(node: slicer.vtkMRMLNode, prefix: str, values: dict[str, Any]) -> None:
    """Write values as JSON attributes; None removes one."""
    for name, value in values.items():
        if value is None:
            node.RemoveAttribute(prefix + name)
        else:
            node.SetAttribute(prefix + name, json.dumps(value))


def _readAttributes(node: slicer.vtkMRMLNode, prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): json.loads(node.GetAttribute(name))
            for name in node.GetAttributeNames() if name.startswith(prefix)}
