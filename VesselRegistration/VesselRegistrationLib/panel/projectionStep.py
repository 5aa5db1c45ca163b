"""Step 2: where the model would lie on the X-ray, and which part of it is matched."""

from typing import Any

import vtk
from slicer.i18n import tr as _

from ..errors import UserError
from ..scene.roiBridge import rectangleFromRoi, removeMarkups
from .nodeFollower import Followed
from .session import PanelSession
from .step import Step


class ProjectionStep(Step):
    """The live projection and the region of interest."""

    name = "projection"

    def __init__(self, ui: Any, session: PanelSession) -> None:
        """Connect the widgets; the check box belongs to the parameter node."""
        super().__init__(ui, session)
        self.connect(ui.wholeImageButton, "clicked(bool)", self._useWholeImage)
        self.connect(ui.placeRoiButton, "clicked(bool)", self._placeRoi)

    def update(self) -> None:
        """Enable the step where there is something to project, and say which region counts."""
        missing, node = self.session.missing, self.session.node
        self.hint(missing)
        self.frame.enabled = not missing
        self.ui.regionLabel.text = "" if missing else self._regionWords()
        self.ui.wholeImageButton.enabled = node.roi is not None
        self.done(not missing)

    def followed(self) -> list[Followed]:
        """The region that the user drags."""
        return [(self.session.node.roi, vtk.vtkCommand.ModifiedEvent, self._showRegion)]

    def _showRegion(self) -> None:
        if not self.session.missing:
            self.ui.regionLabel.text = self._regionWords()

    def _regionWords(self) -> str:
        node = self.session.node
        if node.roi is None:
            return _("The whole image is matched.")
        try:
            x0, y0, x1, y1 = rectangleFromRoi(node.roi, node.xray)
        except UserError as problem:  # the user may drag the box anywhere
            return str(problem)
        return _("Columns {first} to {last}, rows {top} to {bottom} of the X-ray are matched.").format(
            first=x0, last=x1 - 1, top=y0, bottom=y1 - 1)

    def _placeRoi(self) -> None:
        node = self.session.node
        self._useWholeImage()
        roi = self.session.logic.addRoi(node.model, node.xray, node.startTransform)
        self.session.restrictToXray(roi, 0)
        node.roi = roi

    def _useWholeImage(self) -> None:
        roi, self.session.node.roi = self.session.node.roi, None
        if roi is not None:
            removeMarkups(roi)
