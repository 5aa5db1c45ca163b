"""Live mode in the panel: on and off, and how it goes."""

import logging
from typing import Any

import qt
from slicer.i18n import tr as _

from ..errors import UserError
from ..scene.cineBridge import dropTracking
from ..scene.liveTracking import LiveTracker
from .dependencies import ensureNetworks
from .networkLine import ownFile
from .step import Step
from .texts import liveAsHtml


class LivePart:
    """The Live button of the cine step; every new image of the X-ray is followed until it is clicked again."""

    def __init__(self, ui: Any, step: Step) -> None:
        """Connect the button; ``step`` acts and speaks for this part."""
        self.ui, self.step, self.session = ui, step, step.session
        self._tracker: LiveTracker | None = None
        self._inputs: tuple[Any, ...] = ()
        step.connect(ui.liveButton, "toggled(bool)", self._toggle)

    @property
    def running(self) -> bool:
        """Whether live mode is on."""
        return self._tracker is not None

    def update(self) -> None:
        """End live mode where its nodes are no longer chosen."""
        if self.running and self._chosen() != self._inputs:
            self._end()
            self.step.say(_("Live mode has ended: model, X-ray or pose changed."))
        self.ui.liveButton.enabled = self.running or self.session.node.transform is not None
        self.ui.liveLabel.visible = self.running

    def note(self) -> None:
        """A new image has come; it is looked at when Slicer has shown it."""
        if self._tracker is None:
            return
        wasWaiting = self._tracker.waiting
        self._tracker.note()
        if self._tracker.waiting and not wasWaiting:
            qt.QTimer.singleShot(0, self._process)

    def _chosen(self) -> tuple[Any, ...]:
        node = self.session.node
        return (node.model, node.xray, node.transform) if node is not None else ()

    def _toggle(self) -> None:
        if not self.ui.liveButton.checked:
            self._end()
            return
        try:
            self._begin()
        except Exception:
            self._end()
            raise

    def _begin(self) -> None:
        ensureNetworks()
        node = self.session.node
        if node.transform is None:
            raise UserError(_("Register in one frame first."))
        dropTracking(node.transform)
        self._tracker = self.session.logic.liveTracker(node.model, node.xray, node.transform, node.device,
                                                       node.fieldOfView, node.threshold,
                                                       ownFile(node.vesselNetwork))
        self._inputs = self._chosen()
        self.session.live = True
        self.ui.liveLabel.text = _("Waiting for new images: play the sequence, or start the stream.")

    def _end(self) -> None:
        self._tracker = None
        if self.session.live:
            self.session.live = False
            self.session.keepResult()
        if not self.session.closed:
            wasBlocked = self.ui.liveButton.blockSignals(True)
            self.ui.liveButton.checked = False
            self.ui.liveButton.blockSignals(wasBlocked)

    def _process(self) -> None:
        if self._tracker is None or self.session.closed or self.session.node is None:
            return
        try:
            self._tracker.process()
            self.ui.liveLabel.text = liveAsHtml(self._tracker.status())
        except UserError as problem:
            self._end()
            self.step.say(str(problem))
            self.session.refresh()
        except Exception as problem:
            logging.exception("VesselRegistration")
            self._end()
            self.step.say(_("This is a bug ({what}): see the Python console, and report it.").format(
                what=f"{type(problem).__name__}: {problem}"))
