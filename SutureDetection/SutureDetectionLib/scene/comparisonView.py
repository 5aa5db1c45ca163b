"""Keeps the picture of a comparison in step with points and labels."""

from collections.abc import Mapping
from typing import Any

from VesselRegistrationLib.scene.nodeRoles import nodeInRole

from .comparison import Comparison, compareWithLabels
from .frameSeries import FrameSeries
from .pointNodes import kindNodes, setVisible, showComparison
from .pointRecord import LABELS, NumberedPoints


class ComparisonView:
    """The last comparison, made anew only where something changed."""

    def __init__(self) -> None:
        """Nothing is compared yet."""
        self.forget()

    def forget(self) -> None:
        """The scene closes."""
        self._points: Mapping[int, NumberedPoints] | None = None
        self._state: tuple[Any, ...] = ()
        self._found: Comparison | None = None
        self._visible: tuple[str, bool, int] | None = None

    def compare(self, series: FrameSeries, points: Mapping[int, NumberedPoints], radius: float,
                show: bool) -> Comparison | None:
        """As ``compareWithLabels``; ``show`` puts found, missed and false points in place of the points."""
        labels = nodeInRole(series.browser, LABELS)
        state = (series.browser.GetID(), labels and (labels.GetID(), labels.GetMTime()), radius, show)
        if points is self._points and state == self._state:
            return self._found
        self._found = compareWithLabels(series, points, radius)
        isShown = show and self._found is not None
        if isShown and self._found is not None:
            showComparison(series, self._found.groups)
        visible = (series.browser.GetID(), isShown, len(kindNodes(series)))
        if visible != self._visible:  # else what a person hid stays hidden
            setVisible(series, isShown)
            self._visible = visible
        self._points, self._state = points, state
        return self._found
