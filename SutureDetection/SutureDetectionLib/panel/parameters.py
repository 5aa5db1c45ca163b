"""What the panel remembers with the scene, and the values that its choices can take."""

from typing import Annotated

from slicer import vtkMRMLVectorVolumeNode
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper
from VesselRegistrationLib.panel.parameters import DEVICES

from ..evaluation.scoring import RADII_PX
from ..inputs.opening import LAYOUTS

RADII = tuple(f"{radius:g}" for radius in RADII_PX)


@parameterNodeWrapper
class SutureDetectionParameterNode:
    """The frames by reference, choices by name; kept in the scene's file."""

    volume: vtkMRMLVectorVolumeNode
    layout: str = LAYOUTS[0]
    device: str = DEVICES[0]
    threshold: Annotated[float, WithinRange(0.1, 0.95)] = 0.4
    radius: str = RADII[0]
    showComparison: bool = False
