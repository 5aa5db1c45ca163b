"""Step 5: stitches in space from both eyes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _
from VesselRegistrationLib.errors import UserError

from ..inputs.opening import MONO
from .session import SutureSession
from .sutureStep import SutureStep


class SpaceStep(SutureStep):
    """Calibration, points in mm, annulus and spacing."""

    name = "space"

    def __init__(self, ui: Any, session: SutureSession) -> None:
        """Connect the widgets."""
        super().__init__(ui, session)
        self.connect(ui.reconstructButton, "clicked(bool)", self._reconstruct)
        self.reconstructed: Callable[[], None] = lambda: None
        """To be called when there are new nodes in space; set by what shows them."""

    def update(self) -> None:
        """Enable the step for frames of two eyes."""
        series = self.session.series
        missing = self.session.missing
        if not missing and (series is None or series.facts.layout == MONO):
            missing = _("This needs frames of both eyes: choose top-bottom or side by side in step 1.")
        self.frame.enabled = not missing
        self.hint(missing)

    def useCalibration(self, path: Path) -> None:
        """Name the calibration that came with the frames."""
        self.ui.calibrationPathLineEdit.currentPath = str(path)

    def _reconstruct(self) -> None:
        path = self.ui.calibrationPathLineEdit.currentPath
        if not path:
            raise UserError(_("No calibration is named: choose the YAML file of OpenCV."))
        nodes = self.session.logic.reconstruct(self.session.node.volume, path)
        count = nodes.points.GetNumberOfControlPoints()
        if nodes.curve is None:
            self.say(_("{count} points in space, but no annulus: {why}").format(count=count, why=nodes.whyNoCurve))
        else:
            self.say(_("{count} points in space; the annulus is {length:.1f} mm round. Spacing: table {table}.").format(
                count=count, length=nodes.result.curve.length_mm, table=nodes.table.GetName()))
        self.done(True)
        self.reconstructed()
