"""What the steps of the panel share: the scene's parameters, the logic, and the one long work that may run."""

from collections.abc import Callable
from typing import Any

import slicer

from ..scene.viewLayout import XRAY_VIEW_NAMES, viewNode
from ..scene.viewRestriction import restrictTo


class PanelSession:
    """The state of one open panel; a new one for every time that the panel is built."""

    def __init__(self, logic: Any, refresh: Callable[[], None]) -> None:
        """``refresh`` lets every step show what is there."""
        self.logic = logic
        self.node: Any = None
        self.stopRequested = False
        self.closed = False
        self.live = False
        """While images come live, what changes of the X-ray does not spoil the pose."""
        self.preview: slicer.vtkMRMLScalarVolumeNode | None = None
        """A second view that was not exposed, to be shown beside the first one."""
        self._refresh = refresh
        self.moved: Callable[[], None] = lambda: None
        """To be called when the model moves; set by what shows it."""
        self.keepResult: Callable[[], None] = lambda: None
        """To be called when the X-ray changed and the pose with it; set by what would forget the pose."""
        self._button: Any = None
        self._bar: Any = None

    @property
    def running(self) -> bool:
        """Whether long work runs, so that nothing else can begin."""
        return self._bar is not None

    @property
    def xrays(self) -> list[slicer.vtkMRMLScalarVolumeNode]:
        """The X-rays that are chosen, the first one first; none where the first is not."""
        node = self.node
        return [xray for xray in (node.xray, node.secondXray) if xray] if node and node.xray else []

    @property
    def missing(self) -> str:
        """What has to be given before a registration, in one sentence; empty where nothing is missing."""
        return self.logic.missing(self.node.model if self.node else None, self.xrays)

    def showStart(self) -> None:
        """Show where the search would begin; the present result can be brought back by registering again."""
        if self.node.transform is not None:
            self.node.transform = None

    def restrictToXray(self, markups: slicer.vtkMRMLMarkupsNode, number: int) -> None:
        """Show markups in the slice view of X-ray 0 or 1 alone: all X-rays lie in one plane of the scene."""
        restrictTo(markups.GetDisplayNode(), [viewNode(slicer.mrmlScene, XRAY_VIEW_NAMES[number])])

    def cancelsWith(self, button: Any) -> bool:
        """Whether a click on this button cancels what runs."""
        return button is self._button

    def begin(self, button: Any, bar: Any) -> None:
        """Long work of a button begins and shows its progress in a bar."""
        self._button, self._bar, self.stopRequested = button, bar, False
        bar.visible = True

    def end(self) -> None:
        """The long work is over."""
        bar, self._bar, self._button = self._bar, None, None
        if not self.closed:
            bar.visible, bar.value, bar.format = False, 0, "%p%"

    def stop(self) -> None:
        """Ask the long work to end soon."""
        self.stopRequested = True

    def close(self) -> None:
        """The widgets go: what still runs must not touch them any more."""
        self.stopRequested = self.closed = True
        self.node = None

    def showProgress(self, fraction: float, text: str) -> None:
        """Show how far the long work is, and let the user act meanwhile."""
        if not self.closed and self._bar is not None:
            self._bar.value = int(100 * fraction)
            self._bar.format = f"{text} %p%"
        slicer.app.processEvents()

    def shouldStop(self) -> bool:
        """Whether the user or the scene asked the long work to end."""
        return self.stopRequested

    def refresh(self) -> None:
        """Let every step show what is there."""
        if not self.closed:
            self._refresh()
