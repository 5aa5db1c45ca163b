"""Step 2: let a network find the points, and choose how sure it has to be."""

from pathlib import Path
from typing import Any

from slicer.i18n import tr as _
from VesselRegistrationLib.panel.choiceBox import ChoiceBox
from VesselRegistrationLib.panel.dependencies import ensureSutures
from VesselRegistrationLib.panel.parameters import DEVICES

from .session import SutureSession
from .sutureStep import SutureStep


class DetectionStep(SutureStep):
    """Network, Detect or Cancel, and the threshold, which needs no network."""

    name = "detection"

    def __init__(self, ui: Any, session: SutureSession) -> None:
        """Connect the widgets; the threshold belongs to the parameter node."""
        super().__init__(ui, session)
        words = (_("Best there is"), _("Processor"), _("Graphics card"))
        self._device = ChoiceBox(ui.deviceComboBox, session, "device", list(zip(DEVICES, words, strict=True)))
        self.connectLong(ui.detectButton, ui.detectionProgressBar, self._detect)
        self.connect(ui.trainedPathLineEdit, "currentPathChanged(QString)", lambda: None)
        self._tip = ui.detectButton.toolTip

    @property
    def trained(self) -> Path | None:
        """The folder of the training whose network is used, None for the one that comes with the module."""
        path = self.ui.trainedPathLineEdit.currentPath
        return Path(path) if path else None

    def update(self) -> None:
        """Enable the button where nothing is missing; apply the threshold."""
        self._device.update()
        session, series = self.session, self.session.series
        missing = session.missing or session.logic.missingNetwork(self.trained)
        self.hint(missing)
        self.ui.detectButton.enabled = not missing
        self.ui.detectButton.toolTip = missing or self._tip
        detected = series is not None and session.logic.isDetected(session.node.volume)
        self.frame.enabled = not session.missing
        self.ui.thresholdSlider.enabled = detected
        if detected and session.logic.threshold(session.node.volume) != session.node.threshold:
            self.guarded(session.logic.setThreshold, session.node.volume, session.node.threshold)
        self.ui.pointsLabel.text = self._words(series.current) if detected and series is not None else ""
        self.done(detected)

    def useTrained(self, folder: Path) -> None:
        """Use the network of a training from now on."""
        self.ui.trainedPathLineEdit.currentPath = str(folder)

    def _words(self, index: int) -> str:
        session = self.session
        points = session.logic.points(session.node.volume)
        words = _("{here} points in this frame, {all} in {count} frames.").format(
            here=len(points[index].points), count=len(points),
            all=sum(len(each.points) for each in points.values()))
        return words + " " + _("Network: {name}.").format(name=session.logic.networkOf(session.node.volume))

    def showPlace(self) -> None:
        """Count the points of the frame that is shown."""
        series = self.session.series
        if self.ui.pointsLabel.text and series is not None:
            self.ui.pointsLabel.text = self._words(series.current)

    def _detect(self) -> None:
        session, node = self.session, self.session.node
        ensureSutures()
        session.logic.process(node.volume, layout=node.layout, weights=self.trained, device=node.device,
                              progress=session.showProgress, shouldStop=session.shouldStop)
        if session.node is not None:
            session.node.threshold = min(0.95, max(0.1, session.logic.threshold(session.node.volume)))
