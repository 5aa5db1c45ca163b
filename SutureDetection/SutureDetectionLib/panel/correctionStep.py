"""Step 3: correct what was found, or mark points where nothing was sought."""

from typing import Any

import slicer
from slicer.i18n import tr as _
from VesselRegistrationLib.scene.startPose import endMarking, markPoints

from .. import ENTRY, EXIT, UNKNOWN_KIND
from ..scene.pointNodes import KIND_STYLES, pointNode
from .session import SutureSession
from .sutureStep import SutureStep


class CorrectionStep(SutureStep):
    """Adding points by hand, the mark that a frame is labelled, and the way back."""

    name = "correction"

    def __init__(self, ui: Any, session: SutureSession) -> None:
        """Connect the widgets."""
        super().__init__(ui, session)
        for button, kind in ((ui.addEntryButton, ENTRY), (ui.addExitButton, EXIT), (ui.addSutureButton, UNKNOWN_KIND)):
            self.connect(button, "clicked(bool)", self._add, kind)
        self.connect(ui.endAddingButton, "clicked(bool)", lambda: endMarking(slicer.mrmlScene))
        self.connect(ui.pairButton, "clicked(bool)", self._pair)
        self.connect(ui.labelledCheckBox, "clicked(bool)", self._setLabelled)

    def update(self) -> None:
        """Say which frames are corrected."""
        self.frame.enabled = not self.session.missing
        self.hint(self.session.missing)
        self.showPlace()

    def showPlace(self) -> None:
        """Say whether the frame that is shown is corrected."""
        series, node = self.session.series, self.session.node
        corrected = [] if series is None else self.session.logic.corrected(node.volume)
        self.ui.labelledCheckBox.checked = series is not None and series.current in corrected
        self.ui.correctionLabel.text = _("{count} of {all} frames labelled.").format(
            count=len(corrected), all=series.count) if series is not None else ""
        self.done(bool(corrected))

    def _add(self, kind: int) -> None:
        series = self.session.logic.beginMarking(self.session.node.volume)
        style = KIND_STYLES[kind]
        markPoints(slicer.mrmlScene, pointNode(series, style), style.name)
        self.say(_("Click in the frame for each of the {kind}; right-click ends it. Drag a point to move it; delete it "
                   "in the menu of its right click.").format(kind=style.name.lower()))

    def _pair(self) -> None:
        self.session.logic.pairLast(self.session.node.volume)

    def _setLabelled(self) -> None:
        self.session.logic.setLabelled(self.session.node.volume, self.ui.labelledCheckBox.checked)
