"""What the panel remembers with the scene, and the values that its choices can take."""

from typing import Annotated

from slicer import (
    vtkMRMLLinearTransformNode,
    vtkMRMLMarkupsFiducialNode,
    vtkMRMLMarkupsROINode,
    vtkMRMLModelNode,
    vtkMRMLScalarVolumeNode,
)
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper

AUTOMATIC, LANDMARKS, MANUAL = "automatic", "landmarks", "manual"
"""How the pose is chosen that the search starts from."""

METHODS = ("pose", "affine")
DEVICES = ("auto", "cpu", "cuda")
FIELDS_OF_VIEW = ("auto", "lower", "upper")
STYLES = ("fill", "contour", "shaded", "comparison")
STARTS = (AUTOMATIC, LANDMARKS, MANUAL)


@parameterNodeWrapper
class VesselRegistrationParameterNode:
    """Nodes by reference, choices by name, networks of the user's by file; kept in the scene's file."""

    model: vtkMRMLModelNode
    xray: vtkMRMLScalarVolumeNode
    secondXray: vtkMRMLScalarVolumeNode
    roi: vtkMRMLMarkupsROINode
    transform: vtkMRMLLinearTransformNode
    startTransform: vtkMRMLLinearTransformNode
    xrayPoints: vtkMRMLMarkupsFiducialNode
    secondXrayPoints: vtkMRMLMarkupsFiducialNode
    modelPoints: vtkMRMLMarkupsFiducialNode
    method: str = METHODS[0]
    device: str = DEVICES[0]
    fieldOfView: str = FIELDS_OF_VIEW[0]
    vesselNetwork: str = ""
    catheterNetwork: str = ""
    start: str = AUTOMATIC
    stayNearStart: bool = False
    threshold: Annotated[float, WithinRange(0.05, 0.95)] = 0.5
    showProjection: bool = True
    showMask: bool = False
    showGradCam: bool = False
    showDevices: bool = True
    overlayStyle: str = STYLES[0]
    overlayOpacity: Annotated[float, WithinRange(0.0, 1.0)] = 0.5
