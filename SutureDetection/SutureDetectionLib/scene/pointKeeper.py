"""Which points count in each frame: detections from a threshold on, or what a person made of them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from VesselRegistrationLib.errors import UserError
from VesselRegistrationLib.progress import ProgressCallback, StopCheck, ignore_progress, never_stop, raise_if_stopped
from VesselRegistrationLib.scene.nodeRoles import nodeInRole

from .. import ENTRY, EXIT
from ..detection.detector import SutureDetector
from ..detection.points import UNPAIRED, no_points
from ..inputs.opening import split_eyes
from ..tracking.tracker import SutureTracker
from .frameSeries import FrameSeries
from .pointNodes import KIND_STYLES, keepEdits, kindNodes, pointNode, readKind, readPoints, showPoints
from .pointRecord import (
    CORRECTIONS,
    DETECTIONS,
    LABELS,
    NumberedPoints,
    PointRecord,
    forgetRecord,
    joined,
    readRecord,
    together,
    writeRecord,
)

USUAL_THRESHOLD = 0.4
_THRESHOLD = "HybridOR.threshold"
_SAME_PX = 1e-2
_BY_HAND = {"by": "hand"}


def detectSeries(series: FrameSeries, detector: SutureDetector, progress: ProgressCallback = ignore_progress,
                 shouldStop: StopCheck = never_stop) -> PointRecord:
    """All peaks of all frames, each eye on its own. Raises UserError and Cancelled, and changes nothing."""
    layout, frames, count = series.facts.layout, {}, series.count
    for index in range(count):
        progress(index / count, f"frame {index}")
        raise_if_stopped(shouldStop)
        if series.volume.GetScene() is None or series.browser.GetScene() is None:
            raise UserError("The frames were removed while sutures were sought in them: choose others.")
        origins = series.eyes()
        frames[index] = joined([NumberedPoints.of(detector.detect(image)).shifted(origins[eye])
                                for eye, image in split_eyes(series.image(index), layout).items()])
    progress(1.0, "detected")
    origin = detector.origin
    return PointRecord(frames, {"name": origin.name, "sha256": origin.sha256, "design": origin.design,
                                "threshold": detector.threshold})


@dataclass(frozen=True)
class KnownPoints:
    """``found`` by a network from the threshold on; ``counting``, a person's corrections in their place; ``labels`` to
    compare with, loaded ones, else a person's. Each by the index of the frame; the first two have all frames."""

    found: Mapping[int, NumberedPoints]
    counting: Mapping[int, NumberedPoints]
    labels: Mapping[int, NumberedPoints]


class PointKeeper:
    """The points that count. What it computed last is kept until records or threshold change."""

    def __init__(self) -> None:
        """Nothing is computed yet."""
        self._writing = False
        self._known: dict[str, tuple[tuple[object, ...], KnownPoints]] = {}

    def threshold(self, series: FrameSeries) -> float:
        """The confidence from which detections count."""
        return float(series.browser.GetAttribute(_THRESHOLD) or USUAL_THRESHOLD)

    def setThreshold(self, series: FrameSeries, threshold: float) -> None:
        """Let detections count from another confidence on, at once; corrected frames stay as they are."""
        with self._ownChanges():
            series.browser.SetAttribute(_THRESHOLD, repr(float(threshold)))
            self.show(series)

    def setDetections(self, series: FrameSeries, record: PointRecord, threshold: float | None) -> None:
        """Keep what a network found, and show it; corrections stay.

        ``threshold`` None takes the one before if the same network found points before, else the network's own.
        """
        before = readRecord(series, DETECTIONS)
        if threshold is None:
            isSame = before is not None and before.about == record.about
            threshold = self.threshold(series) if isSame else record.about["threshold"]
        with self._ownChanges():
            writeRecord(series, DETECTIONS, record)
            self.setThreshold(series, threshold)

    def setLayout(self, series: FrameSeries, layout: str) -> None:
        """Say which eyes the frames show; what was found in another layout is dropped. Raises UserError."""
        if series.facts.layout == layout:
            return
        split_eyes(series.image(series.current), layout)
        with self._ownChanges():
            forgetRecord(series, DETECTIONS)
            series.setFacts(replace(series.facts, layout=layout))
            if kindNodes(series):
                self.show(series)

    def known(self, series: FrameSeries) -> KnownPoints:
        """All that is known; the same object as long as nothing changes."""
        nodes = [nodeInRole(series.browser, role) for role in (DETECTIONS, CORRECTIONS, LABELS)]
        state = (self.threshold(series), series.facts.layout, series.count,
                 *((node.GetID(), node.GetMTime()) for node in nodes if node is not None))
        key = series.browser.GetID()
        if key not in self._known or self._known[key][0] != state:
            self._known[key] = (state, self._compute(series))
        return self._known[key][1]

    def points(self, series: FrameSeries) -> Mapping[int, NumberedPoints]:
        """The points that count in every frame, by its index."""
        return self.known(series).counting

    def corrected(self, series: FrameSeries) -> list[int]:
        """The frames that a person corrected or labelled."""
        record = readRecord(series, CORRECTIONS)
        return [] if record is None else sorted(record.frames)

    def show(self, series: FrameSeries) -> None:
        """Let the nodes show what counts in every frame."""
        with self._ownChanges():
            if readRecord(series, CORRECTIONS) is None:  # made now: later it would disturb a person's click
                writeRecord(series, CORRECTIONS, PointRecord({}, _BY_HAND))
            showPoints(series, self.points(series))

    def adoptEdits(self, series: FrameSeries, kind: int | None = None) -> bool:
        """Keep what a person changed in the present frame, if anything (of one kind of points); True if so.

        The detection stays as it is; the frame counts as corrected from now on.
        """
        if self._writing:
            return False
        kinds = KIND_STYLES if kind is None else (kind,)
        expected = self.points(series)[series.current]
        if all(_same(readKind(series, each), expected.chosen(expected.points.kinds == each)) for each in kinds):
            return False
        points = readPoints(series)
        with self._ownChanges():
            keepEdits(series, points)
            self._setCorrection(series, series.current, points)
        return True

    def _setCorrection(self, series: FrameSeries, index: int, points: NumberedPoints | None) -> None:
        """Keep points as a person's answer for a frame; None goes back to the detection. Nodes are not touched."""
        before = readRecord(series, CORRECTIONS)
        frames = {} if before is None else dict(before.frames)
        if points is None:
            frames.pop(index, None)
        else:
            frames[index] = points
        writeRecord(series, CORRECTIONS, PointRecord(frames, _BY_HAND))

    def pairLast(self, series: FrameSeries) -> None:
        """Make the last entry and the last exit of the present frame the two ends of one stitch. Raises UserError."""
        shown = readPoints(series)
        ends = [np.flatnonzero(shown.points.kinds == kind) for kind in (ENTRY, EXIT)]
        if not all(len(end) for end in ends):
            raise UserError("A stitch has an entry and an exit: mark one of each first.")
        last = [end[-1] for end in ends]
        pairIds = shown.points.pair_ids.copy()
        pairIds[np.isin(pairIds, [pair for pair in pairIds[last] if pair != UNPAIRED])] = UNPAIRED
        pairIds[last] = pairIds.max() + 1
        self.correct(series, NumberedPoints(replace(shown.points, pair_ids=pairIds), shown.trackIds))

    def correct(self, series: FrameSeries, points: NumberedPoints | None) -> None:
        """Take points for the right ones of the present frame, and show them; None goes back to the detection."""
        with self._ownChanges():
            self._setCorrection(series, series.current, points)
            self.show(series)

    def begin(self, series: FrameSeries) -> FrameSeries:
        """Make the nodes to mark points in, where there are none yet; gives the series."""
        if any(pointNode(series, style) is None for style in KIND_STYLES.values()):
            self.show(series)
        return series

    def forget(self) -> None:
        """The scene closes."""
        self._known.clear()

    @contextmanager
    def _ownChanges(self) -> Iterator[None]:
        """What happens to the nodes meanwhile is nobody's edit."""
        before, self._writing = self._writing, True
        try:
            yield
        finally:
            self._writing = before

    def _compute(self, series: FrameSeries) -> KnownPoints:
        detections, corrections, labels = (readRecord(series, role) for role in (DETECTIONS, CORRECTIONS, LABELS))
        nothing = NumberedPoints.of(no_points())
        tracked = _tracked(series, detections, self.threshold(series)) if detections else {}
        found = {index: tracked.get(index, nothing) for index in range(series.count)}
        byHand = {} if corrections is None else {index: points for index, points in corrections.frames.items()
                                                 if index < series.count}
        loaded = {} if labels is None else {index: points for index, points in labels.frames.items()
                                            if index < series.count}
        return KnownPoints(found, found | byHand, byHand | loaded)


def eyesOf(series: FrameSeries, numbered: NumberedPoints) -> dict[str, NumberedPoints]:
    """The points of each eye in pixels of its own picture."""
    origins = series.eyes()
    if len(origins) == 1:
        return {"": numbered}
    border = origins["right"] - 0.5
    axis = int(np.argmax(border))
    isRight = numbered.points.positions[:, axis] >= border[axis]
    return {"left": numbered.chosen(~isRight), "right": numbered.chosen(isRight).shifted(-origins["right"])}


def _tracked(series: FrameSeries, record: PointRecord, threshold: float) -> dict[int, NumberedPoints]:
    if not series.facts.follows or series.count < 2:
        return {index: NumberedPoints.of(points.points.at_least(threshold)) for index, points in record.frames.items()}
    width, origins = series.eyeShape()[1], series.eyes()
    trackers = {eye: SutureTracker(width, threshold) for eye in origins}
    return {index: together([NumberedPoints(*trackers[eye].update(part.points)).shifted(origins[eye])
                             for eye, part in eyesOf(series, points).items()])
            for index, points in sorted(record.frames.items())}


def _same(one: NumberedPoints, other: NumberedPoints) -> bool:
    if len(one.points) != len(other.points):
        return False
    return bool(np.all(np.abs(one.points.positions - other.points.positions) < _SAME_PX))
