"""The boxes in which the user sees and gives the C-arm geometry of an X-ray."""

from collections.abc import Callable
from typing import Any

import slicer

from ..dicom.frame import HeaderGeometry
from ..scene.volumeBridge import geometryFromVolume, giveGeometry
from .texts import sourceAsHtml

FIELDS = {"primary": "primary_angle_deg", "secondary": "secondary_angle_deg", "sid": "sid_mm", "sod": "sod_mm",
          "spacing": "pixel_spacing_mm"}
"""Name of a row and the value that it gives. The smallest value of a box reads "as in the header" and gives the word
back."""


class GeometryEditor:
    """Five spin boxes of the panel; only what the user really changes is noted as given by the user."""

    def __init__(self, ui: Any, attempt: Callable[..., None]) -> None:
        """``attempt(action, ...)`` does something for the user and says in the panel what goes wrong."""
        self._boxes = {name: getattr(ui, f"{name}SpinBox") for name in FIELDS}
        self._labels = {name: getattr(ui, f"{name}SourceLabel") for name in FIELDS}
        self._shown: dict[str, float] = {}
        self._node: slicer.vtkMRMLScalarVolumeNode | None = None
        for name, box in self._boxes.items():
            box.connect("valueChanged(double)", self._slot(attempt, name))

    def _slot(self, attempt: Callable[..., None], name: str) -> Callable[..., None]:
        def changed(*_signal: Any) -> None:
            if self._node is not None and self._boxes[name].value != self._shown.get(name):
                attempt(self._give, name)

        return changed

    def show(self, xrayNode: slicer.vtkMRMLScalarVolumeNode | None) -> HeaderGeometry | None:
        """Show the geometry of an X-ray; it is returned."""
        self._node = xrayNode
        geometry = None if xrayNode is None else geometryFromVolume(xrayNode)
        for name, box in self._boxes.items():
            field = "row_spacing_mm" if name == "spacing" else FIELDS[name]
            value = None if geometry is None else getattr(geometry, field)
            box.enabled = geometry is not None
            # The box rounds: what it makes of the value must not come back as given by the user.
            wasBlocked = box.blockSignals(True)
            box.value = box.minimum if value is None else value
            box.blockSignals(wasBlocked)
            self._shown[name] = box.value
            self._labels[name].text = "" if geometry is None else sourceAsHtml(geometry, field)
        return geometry

    def _give(self, name: str) -> None:
        assert self._node is not None
        value = self._boxes[name].value
        self._shown[name] = value
        giveGeometry(self._node, **{FIELDS[name]: None if value == self._boxes[name].minimum else value})
