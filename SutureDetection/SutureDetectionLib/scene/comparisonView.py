"""Keeps the picture of a comparison in step with points and labels."""

from typing import Any

from .comparison import Comparison, compareWithLabels
from .frameSeries import FrameSeries
from .pointKeeper import KnownPoints
from .pointNodes import kindNodes, setVisible, showComparison


class ComparisonView:
    """The last comparison, made anew only where something changed."""

    def __init__(self) -> None:
        """Nothing is compared yet."""
        self.forget()

    def forget(self) -> None:
        """The scene closes."""
        self._known: KnownPoints | None = None
        self._state: tuple[Any, ...] = ()
        self._found: Comparison | None = None
        self._visible: tuple[str, bool, int] | None = None

    def compare(self, series: FrameSeries, known: KnownPoints, radius: float, show: bool) -> Comparison | None:
        """As ``compareWithLabels``; ``show`` puts found, missed and false points in place of the points."""
        state = (series.browser.GetID(), radius, show, len(kindNodes(series)))
        if known is self._known and state == self._state:
            return self._found
        self._found = compareWithLabels(series, known.found, known.labels, radius)
        isShown = show and self._found is not None
        if isShown and self._found is not None:
            showComparison(series, self._found.groups)
        visible = (series.browser.GetID(), isShown, len(kindNodes(series)))
        if visible != self._visible:  # else what a person hid stays hidden
            setVisible(series, isShown)
            self._visible = visible
        self._known, self._state = known, state
        return self._found
