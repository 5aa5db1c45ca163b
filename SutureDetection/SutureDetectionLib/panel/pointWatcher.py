"""Notes what a person moves, adds and deletes in the views, also while another module is open."""

from typing import Any

import slicer
from VesselRegistrationLib.panel.nodeFollower import NodeFollower

from ..scene.frameSeries import existingSeries
from ..scene.pointNodes import KIND_STYLES, pointNode
from .session import SutureSession

_Markups = slicer.vtkMRMLMarkupsNode
EVENTS = (_Markups.PointPositionDefinedEvent, _Markups.PointRemovedEvent, _Markups.PointEndInteractionEvent)
"""Placed, deleted, let go after dragging. A change of frame brings them too: then the points are the known ones."""


class PointWatcher:
    """Follows the point nodes of the frames that the panel worked on last."""

    def __init__(self, session: SutureSession) -> None:
        """Nothing is followed yet."""
        self._session = session
        self._follower = NodeFollower()

    def follow(self, volumeNode: Any) -> None:
        """Follow the points of these frames, and no others; None follows nothing."""
        series = existingSeries(volumeNode)
        self._follower.follow([] if series is None else [
            (pointNode(series, style), event, self._action(volumeNode, kind))
            for kind, style in KIND_STYLES.items() for event in EVENTS])

    def _action(self, volumeNode: Any, kind: int) -> Any:
        return lambda: self._changed(volumeNode, kind)

    def _changed(self, volumeNode: Any, kind: int) -> None:
        if existingSeries(volumeNode) is not None and self._session.logic.adoptEdits(volumeNode, kind):
            self._session.refresh()
