"""What the fused views show: the model where the search will start, or where it was found."""

from typing import Any

import slicer

from ..errors import UserError
from ..scene.cineBridge import isTracked
from ..scene.gradCamBridge import explanationOf, showOver
from ..scene.guidanceViews import GuidanceViews
from ..scene.liveOverlay import OverlayStyle
from ..scene.viewLayout import XRAY_VIEW_NAMES, sliceLogic
from ..scene.volumeBridge import geometryFromVolume
from .session import PanelSession

REST_MS = 250
"""A slider rests after so many milliseconds without a move."""


class ViewControl:
    """Keeps the views in step with the panel, and forgets a result when its inputs change."""

    def __init__(self, session: PanelSession, restTimer: Any) -> None:
        """``restTimer`` is a single-shot timer that starts anew with every move of the model."""
        self._session, self._timer = session, restTimer
        session.moved, session.keepResult = self.moved, self.keepResult
        self._timer.connect("timeout()", self.settle)
        self._views: GuidanceViews | None = None
        self._inputs: tuple[Any, ...] | None = None
        self._onShow: tuple[Any, ...] | None = None

    def forget(self) -> None:
        """Let go of the scene's nodes; the next inputs come with their result."""
        self._inputs = self._onShow = None
        self._timer.stop()
        if self._views is not None:
            self._views.close()
            self._views = None

    def update(self) -> None:
        """Show what the parameter node holds. Raises UserError where the model cannot be used."""
        node = self._session.node
        inputs = self._inputsNow()
        if inputs != self._inputs and not self._session.live:
            first, self._inputs = self._inputs is None, inputs
            if not first and node.transform is not None:
                transform, node.transform = node.transform, None
                self._session.logic.forgetResults(transform)
        self._show()
        if self._views is not None:
            self._views.setStyle(self._style(), node.overlayOpacity)
            self._views.settle()
            self._showExplanations()

    def _showExplanations(self) -> None:
        """Lay what the network looked at over the X-rays, where that is wanted and known."""
        if not self._session.node.showGradCam:
            return
        for name, xray in zip(XRAY_VIEW_NAMES, self._session.xrays, strict=False):
            image, logic = explanationOf(xray), sliceLogic(slicer.app.layoutManager(), name)
            if image is not None and logic is not None:
                showOver(logic, image, self._session.node.overlayOpacity)

    def moved(self) -> None:
        """The model moves: its exact picture waits until it rests."""
        self._timer.start(REST_MS)

    def keepResult(self) -> None:
        """The pose belongs to what is on show now."""
        if self._session.node is not None:
            self._inputs = self._inputsNow()

    def settle(self) -> None:
        """Draw the overlays exactly."""
        if self._views is not None:
            self._views.settle()

    def _inputsNow(self) -> tuple[Any, ...]:
        node = self._session.node
        tracked = isTracked(node.transform)  # then a pose goes with every frame
        seen = [(xray, geometryFromVolume(xray), None if tracked else self._session.logic.frameRange(xray)[0])
                for xray in self._session.xrays if xray.GetImageData() is not None]
        return node.model, node.xray, node.secondXray, *seen

    def _show(self) -> None:
        node = self._session.node
        xrays = [xray for xray in self._session.xrays if xray.GetImageData() is not None]
        if xrays and self._session.preview is not None:
            xrays = [xrays[0], self._session.preview]
        mesh = node.model.GetPolyData() if node.model else None
        pose = None if self._session.missing else node.transform or node.startTransform
        onShow = (*xrays, node.model, mesh, pose)
        if onShow == self._onShow:
            return
        before, self._onShow = self._onShow or (), onShow
        if not xrays:
            if self._views is not None:
                self._views.close()
                self._views = None
            return
        if self._views is None:
            self._views = GuidanceViews(slicer.mrmlScene, slicer.app.layoutManager())
        newXrays = not before or before[:-3] != onShow[:-3]
        try:
            self._views.show(xrays, node.model, pose, switchLayout=newXrays)
        except UserError:
            self._views.show(xrays, switchLayout=newXrays)
            raise

    def _style(self) -> OverlayStyle:
        node = self._session.node
        if node.showGradCam and any(explanationOf(xray) is not None for xray in self._session.xrays):
            return OverlayStyle.NONE
        if node.showMask:
            return OverlayStyle.MASK
        if node.transform is None:
            return OverlayStyle.CONTOUR if node.showProjection else OverlayStyle.NONE
        return OverlayStyle(node.overlayStyle)
