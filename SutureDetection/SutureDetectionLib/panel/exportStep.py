"""Step 6: points and labelled frames as files."""

from pathlib import Path
from typing import Any

from slicer.i18n import tr as _
from VesselRegistrationLib.errors import UserError

from .session import SutureSession
from .sutureStep import SutureStep


class ExportStep(SutureStep):
    """One folder for all formats; another for the frames that are labelled."""

    name = "export"

    def __init__(self, ui: Any, session: SutureSession) -> None:
        """Connect the widgets."""
        super().__init__(ui, session)
        self.connect(ui.exportButton, "clicked(bool)", self._export)
        self.connect(ui.saveLabelsButton, "clicked(bool)", self._saveLabels)

    def update(self) -> None:
        """Enable the step where there are points."""
        session = self.session
        missing = session.missing
        volume, logic = session.node.volume, session.logic
        if not missing and (session.series is None or not (logic.isDetected(volume) or logic.corrected(volume))):
            missing = _("There are no points yet: detect them, or mark some.")
        self.frame.enabled = not missing
        self.hint(missing)

    def _folder(self) -> Path:
        if not self.ui.exportPathLineEdit.currentPath:
            raise UserError(_("No folder is named: choose a new or empty one."))
        return Path(self.ui.exportPathLineEdit.currentPath)

    def _export(self) -> None:
        folder, calibration = self._folder(), self.ui.calibrationPathLineEdit.currentPath
        self.session.logic.export(self.session.node.volume, folder, self.ui.picturesCheckBox.checked,
                                  self.ui.adaptorLineEdit.text, Path(calibration) if calibration else None)
        self.say(_("Written to {folder}.").format(folder=folder))

    def _saveLabels(self) -> None:
        files = self.session.logic.saveLabelledFrames(self.session.node.volume, self._folder())
        self.say(_("{count} frames with labelme files written to {folder}.").format(
            count=len(files), folder=files[0].parent))
