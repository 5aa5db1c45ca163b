"""What lies over the X-rays: the model where the search will start, or where it was found."""

from typing import Any

from ..scene.resultBridge import maskOf, setOverlay, startOf
from ..scene.volumeBridge import geometryFromVolume
from .session import PanelSession
from .sliceView import showInSliceView, showLabel


class FusedViews:
    """Keeps the slice views in step with the panel."""

    def __init__(self, session: PanelSession) -> None:
        """Nothing is shown yet."""
        self._session = session
        self._shown: tuple[Any, ...] | None = None

    def forget(self) -> None:
        """Other parameters come: the next inputs come with their result."""
        self._shown = None

    def update(self) -> None:
        """Show what the parameter node holds; forget a result that other inputs gave."""
        node = self._session.node
        inputs = self._inputs()
        if inputs != self._shown:
            first, self._shown = self._shown is None, inputs
            if not first and node.transform is not None:
                transform, node.transform = node.transform, None
                self._session.logic.forgetResults(transform)
            if node.xray is not None and node.xray.GetImageData() is not None:
                showInSliceView(node.xray)
            if not self._session.missing:
                self._session.logic.showStart(node.model, node.xray)
        self._showOverlay()

    def _inputs(self) -> tuple[Any, ...]:
        node = self._session.node
        seen = [(xray, geometryFromVolume(xray), self._session.logic.frameRange(xray)[0])
                for xray in self._session.xrays if xray.GetImageData() is not None]
        return node.model, node.xray, node.secondXray, *seen

    def _showOverlay(self) -> None:
        node = self._session.node
        if node.xray is None:
            return
        registered = node.transform is not None
        setOverlay(node.xray, registered, node.overlayOpacity)
        start = startOf(node.xray) if node.showProjection and not self._session.missing else None
        showLabel(maskOf(node.xray) if node.showMask and registered else None if registered else start,
                  node.overlayOpacity)
