"""Keeps the picture of a comparison in step with points and labels."""

from collections.abc import Mapping
from typing import Any

from VesselRegistrationLib.scene.nodeRoles import nodeInRole

from .comparison import Comparison, compareWithLabels
from .frameSeries import FrameSeries
from .pointNodes import COMPARISON_STYLES, KIND_STYLES, setVisible, showComparison
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
        setVisible(series, COMPARISON_STYLES, isShown)
        setVisible(series, tuple(KIND_STYLES.values()), not isShown)
        self._points, self._state = points, state
        return self._found
