"""Step 7: fine-tune the network on the frames that are labelled."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
from slicer.i18n import tr as _
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.panel.dependencies import ensureSutures

from ..scene.fineTuning import FineTuning
from .session import SutureSession
from .sutureStep import SutureStep

LOOK_EVERY_MS = 1000


class TrainingStep(SutureStep):
    """Fine-tune or Cancel; the panel stays usable while another process trains."""

    name = "training"

    def __init__(self, ui: Any, session: SutureSession) -> None:
        """Connect the widgets."""
        super().__init__(ui, session)
        self._work: FineTuning | None = None
        self._words = ui.fineTuneButton.text
        self.weights: Callable[[], Path | None] = lambda: None
        """Asked for the network to begin with; set by what chooses it."""
        self.trained: Callable[[Path], None] = lambda folder: None
        """To be called with the folder of the new network; set by what uses it."""
        self._timer = qt.QTimer(ui.trainingFrame)
        self._timer.connect("timeout()", self.look)
        ui.trainingProgressBar.visible = False
        self.connect(ui.fineTuneButton, "clicked(bool)", self._fineTune)

    def update(self) -> None:
        """Say what is missing."""
        missing, series = self.session.missing, self.session.series
        if not missing and (series is None or not self.session.logic.corrected(self.session.node.volume)):
            missing = _("No frame is labelled: correct the points of some frames, or tick that they are right.")
        self.frame.enabled = not missing or self._work is not None
        self.hint("" if self._work is not None else missing)

    def look(self) -> None:
        """See how far the other process is."""
        if self._work is None or self.session.closed:
            return
        self.ui.trainingProgressBar.value = int(100 * self._work.fraction)
        if not self._work.running:
            work, self._work = self._work, None
            self._show(False)
            self.guarded(self._finish, work)
            self.session.refresh()

    def close(self) -> None:
        """End what runs; the panel goes."""
        self._timer.stop()
        if self._work is not None:
            self._work.cancel()
            self._work = None

    def _fineTune(self) -> None:
        if self._work is not None:
            self._work.cancel()
            self.look()
            return
        ui = self.ui
        if not ui.trainingPathLineEdit.currentPath:
            raise UserError(_("No folder is named: choose a new or empty one for the frames and the network."))
        ensureSutures()
        self._work = self.session.logic.fineTune(
            self.session.node.volume, Path(ui.trainingPathLineEdit.currentPath), ui.stepsSpinBox.value,
            self.weights(), self.session.node.device)
        self._show(True)

    def _finish(self, work: FineTuning) -> None:
        folder, words = work.result()
        self.trained(folder)
        self.say(_("{words} The new network is chosen in step 2: click Detect.").format(words=words).strip())

    def _show(self, running: bool) -> None:
        self.ui.fineTuneButton.text = _("Cancel fine-tuning") if running else self._words
        self.ui.trainingProgressBar.visible = running
        self.ui.trainingProgressBar.value = 0
        if running:
            self._timer.start(LOOK_EVERY_MS)
        else:
            self._timer.stop()
