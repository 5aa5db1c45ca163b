"""The boxes in which the user sees and gives the C-arm geometry of an X-ray."""

from collections.abc import Callable
from typing import Any

import slicer

from ..dicom.frame import HeaderGeometry
from ..scene.volumeBridge import geometryFromVolume, giveGeometry

FIELDS = {"primarySpinBox": "primary_angle_deg", "secondarySpinBox": "secondary_angle_deg", "sidSpinBox": "sid_mm",
          "sodSpinBox": "sod_mm", "spacingSpinBox": "pixel_spacing_mm"}
"""Box and the value that it gives. The smallest value of a box reads "as in the header" and gives the word back."""


class GeometryEditor:
    """Five spin boxes of the panel; only what the user really changes is noted as given by the user."""

    def __init__(self, ui: Any, attempt: Callable[..., None]) -> None:
        """``attempt(action, ...)`` does something for the user and says in the panel what goes wrong."""
        self._boxes = {name: getattr(ui, name) for name in FIELDS}
        self._shown: dict[str, float] = {}
        self._node: slicer.vtkMRMLScalarVolumeNode | None = None
        for name, box in self._boxes.items():
            box.connect("editingFinished()", self._slot(attempt, name))

    def _slot(self, attempt: Callable[..., None], name: str) -> Callable[[], None]:
        return lambda: attempt(self._give, name)

    def show(self, xrayNode: slicer.vtkMRMLScalarVolumeNode | None) -> HeaderGeometry | None:
        """Show the geometry of an X-ray; it is returned."""
        self._node = xrayNode
        geometry = None if xrayNode is None else geometryFromVolume(xrayNode)
        for name, box in self._boxes.items():
            field = "row_spacing_mm" if FIELDS[name] == "pixel_spacing_mm" else FIELDS[name]
            value = None if geometry is None else getattr(geometry, field)
            box.enabled = geometry is not None
            box.value = box.minimum if value is None else value
            self._shown[name] = box.value
        return geometry

    def _give(self, name: str) -> None:
        value = self._boxes[name].value
        if self._node is not None and value != self._shown[name]:
            self._shown[name] = value
            giveGeometry(self._node, **{FIELDS[name]: None if value == self._boxes[name].minimum else value})
