"""Step 6: the model through all frames of a run, and live."""

from typing import Any

import slicer
from slicer.i18n import tr as _

from ..errors import UserError
from ..scene.cineBridge import dropTracking, frameVerdict, isTracked
from ..scene.sequenceBridge import browserOf
from .dependencies import ensureNetworks
from .livePart import LivePart
from .networkLine import ownFile
from .nodeFollower import Followed
from .session import PanelSession
from .step import Step
from .texts import cineAsHtml


class CineStep(Step):
    """Track, replay, live."""

    name = "cine"

    def __init__(self, ui: Any, session: PanelSession) -> None:
        """Connect the widgets."""
        super().__init__(ui, session)
        self.live = LivePart(ui, self)
        self.connectLong(ui.trackButton, ui.cineProgressBar, self._track)
        ui.replaySlider.connect("valueChanged(int)", lambda *_signal: self._show())
        self.connect(ui.playButton, "toggled(bool)", self._play)

    def update(self) -> None:
        """Enable what can be done: a run with a pose is followed, a followed one is replayed."""
        ui, node, logic = self.ui, self.session.node, self.session.logic
        xray = node.xray if node.xray is not None and node.xray.GetImageData() is not None else None
        registered, live = node.transform is not None, self.live.running
        count = logic.frameRange(xray)[1] if xray is not None else 0
        tracked = isTracked(node.transform)
        ui.trackButton.enabled = registered and count > 1 and not live
        ui.replayFrame.visible = tracked
        self.frame.enabled = registered
        self.live.update()
        self.done(tracked)
        if not registered:
            self.hint(_("Register in one frame first."))
        elif count < 2:
            self.hint(_("This X-ray is a single frame: live mode follows it when its image changes."))
        else:
            self.hint("")
        if tracked:
            ui.replaySlider.maximum = count - 1
            self._showFrame()

    def followed(self) -> list[Followed]:
        """The pose, which replay moves, and the image, which live mode follows."""
        node = self.session.node
        moved = slicer.vtkMRMLTransformableNode.TransformModifiedEvent
        return [(node.transform, moved, self._showFrame),
                (node.xray, slicer.vtkMRMLVolumeNode.ImageDataModifiedEvent, self.live.note)]

    def _track(self) -> None:
        session, node = self.session, self.session.node
        ensureNetworks()
        xray, transform = node.xray, node.transform
        if transform is None:
            raise UserError(_("Register in one frame first."))
        dropTracking(transform)
        result = session.logic.track(node.model, xray, transform, node.device, node.fieldOfView, node.threshold,
                                     session.showProgress, session.shouldStop, ownFile(node.vesselNetwork))
        session.keepResult()
        record = session.logic.resultOf(transform)
        self.say(cineAsHtml(result, record["status"] if record else "check"))

    def _showFrame(self) -> None:
        """Let the slider follow the replay, and say how the frame went."""
        node, ui = self.session.node, self.ui
        if node is None or node.xray is None or not isTracked(node.transform):
            return
        number = self.session.logic.frameRange(node.xray)[0]
        wasBlocked = ui.replaySlider.blockSignals(True)
        ui.replaySlider.value = number
        ui.replaySlider.blockSignals(wasBlocked)
        status, reason = frameVerdict(node.transform)
        words = _("Frame {number}: followed").format(number=number) if status == "tracked" else reason
        ui.frameVerdictLabel.text = words or _("Frame {number}").format(number=number)

    def _show(self) -> None:
        node = self.session.node
        if node is not None and node.xray is not None and not self.session.running:
            self.guarded(self.session.logic.showFrame, node.xray, self.ui.replaySlider.value)

    def _play(self) -> None:
        browser = browserOf(self.session.node.transform) if self.session.node.transform else None
        if browser is not None:
            browser.SetPlaybackActive(self.ui.playButton.checked)
