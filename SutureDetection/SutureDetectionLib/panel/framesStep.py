"""Step 1: which frames."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.panel.choiceBox import ChoiceBox
from VesselRegistrationLib.panel.dependencies import ensureVideos

from ..inputs import video
from ..inputs.opening import LAYOUTS
from ..scene.frameSeries import SeriesFacts
from .session import SutureSession
from .sutureStep import SutureStep

MOST_REASONS = 3


class FramesStep(SutureStep):
    """Samples, files, volumes of the scene, and the slider through the frames."""

    name = "frames"

    def __init__(self, ui: Any, session: SutureSession) -> None:
        """Connect the widgets."""
        super().__init__(ui, session)
        words = (_("One eye"), _("Top-bottom (top is left)"), _("Side by side"))
        self._layout = ChoiceBox(ui.layoutComboBox, session, "layout", list(zip(LAYOUTS, words, strict=True)))
        for button, action in ((ui.sampleButton, self._loadSample), (ui.stereoSampleButton, self._loadStereoSample),
                               (ui.loadFileButton, self._loadFile), (ui.loadFolderButton, self._loadFolder)):
            self.connectLong(button, ui.framesProgressBar, action)
        self.connect(ui.frameSlider, "valueChanged(double)", self._showFrame)
        self._inputs = (ui.layoutComboBox, ui.filePathLineEdit, ui.everySpinBox, ui.folderPathLineEdit,
                        ui.volumeSelector, ui.frameSlider)
        self.calibrationLoaded: Callable[[Path], None] = lambda path: None
        """To be called with the calibration that a sample brings; set by what uses it."""

    def enable(self, idle: bool) -> None:
        """As in every step, but the buttons that may cancel stand among the inputs."""
        super().enable(idle)
        self.frame.enabled = True
        for widget in self._inputs:
            widget.enabled = idle

    def update(self) -> None:
        """Say what is missing, and where in the frames the view is."""
        self._layout.update()
        missing = self.session.missing
        self.hint(missing)
        self.done(not missing)
        self._useLayout()
        self.showPlace()

    def showPlace(self) -> None:
        """Let slider and words follow the frame that is shown."""
        series, slider = self.session.series, self.ui.frameSlider
        wasBlocked = slider.blockSignals(True)  # only the user's changes choose a frame
        slider.maximum = series.count - 1 if series else 0
        slider.value = series.current if series else 0
        slider.enabled = series is not None and series.count > 1
        slider.blockSignals(wasBlocked)
        self.ui.frameLabel.text = "" if series is None else self._words(series.facts, series.current)

    def _words(self, facts: SeriesFacts, index: int) -> str:
        if index >= len(facts.names):
            return ""
        return _("{name}, frame {number} of its source (counted from 0), {count} frames here").format(
            name=facts.names[index], number=facts.numbers[index], count=len(facts.names))

    def _useLayout(self) -> None:
        """Frames that Slicer loaded may be of two eyes as well."""
        series, node = self.session.series, self.session.node
        if series is not None and series.facts.layout != node.layout:
            self.guarded(self.session.logic.setLayout, node.volume, node.layout)
            node.layout = series.facts.layout  # frames that cannot be halved stay as they are

    def _take(self, volumeNode: slicer.vtkMRMLVectorVolumeNode, layout: str | None = None) -> None:
        node = self.session.node
        if node is not None:
            if layout is not None:
                node.layout = layout
            node.volume = volumeNode

    def _loadSample(self) -> None:
        session = self.session
        volume = session.logic.loadSampleVideo(session.showProgress, session.shouldStop)
        self._take(volume, LAYOUTS[0])

    def _loadStereoSample(self) -> None:
        volume, calibration = self.session.logic.loadSampleStereo()
        self._take(volume, LAYOUTS[1])
        self.calibrationLoaded(calibration)

    def _loadFile(self) -> None:
        self._load(self.ui.filePathLineEdit.currentPath, _("No file is named: choose a picture, DICOM file or video."))

    def _loadFolder(self) -> None:
        self._load(self.ui.folderPathLineEdit.currentPath, _("No folder is named: choose a folder of pictures."))

    def _load(self, path: str, ifNone: str) -> None:
        session = self.session
        if not path:
            raise UserError(ifNone)
        if Path(path).suffix.lower() in video.SUFFIXES:
            ensureVideos()
        volume, problems = session.logic.loadFrames(path, session.node.layout, self.ui.everySpinBox.value,
                                                    session.showProgress, session.shouldStop)
        self._take(volume)
        self.say(" ".join([*problems[:MOST_REASONS], *([_("And {count} more.").format(
            count=len(problems) - MOST_REASONS)] if len(problems) > MOST_REASONS else [])]))

    def _showFrame(self) -> None:
        series = self.session.series
        if series is not None and series.current != int(self.ui.frameSlider.value):
            series.show(int(self.ui.frameSlider.value))
