"""Stable numbers for suture points through a video, also while instruments cover them."""

from dataclasses import dataclass, field

import numpy as np
from scipy.optimize import linear_sum_assignment

from ..detection.points import SuturePoints
from .motion import estimate_motion, find_motion, moved_by

NO_TRACK = -1


@dataclass(frozen=True)
class TrackingSettings:
    """Distances as shares of the picture's width, times in frames.

    A new point must be surer than the threshold by ``new_share`` of what is left to 1, or be seen twice; all points of
    the first ``trusting`` frames count. A point belongs to a track if it is nearer than ``gate`` to where the track is
    expected. ``continue_share`` of the threshold suffices to go on with a track. A track that was seen ``confirm``
    times is kept for ``patience`` frames without a sight, another for ``early_patience``. ``search`` is how far the
    picture may have moved while hardly anything could be seen.
    """

    gate: float = 0.016
    search: float = 0.15
    continue_share: float = 0.5
    new_share: float = 0.5
    trusting: int = 2
    confirm: int = 3
    patience: int = 100
    early_patience: int = 2


@dataclass
class _Track:
    number: int
    position: np.ndarray
    seen: int = 1
    missing: int = 0
    speed: np.ndarray = field(default_factory=lambda: np.zeros(2))


class SutureTracker:
    """Takes the points of one frame after the other.

    Sutures sit in tissue that moves as a whole: what is seen tells where the covered points have gone. So a covered
    track moves on with the others and meets its point again when it comes back.
    """

    def __init__(self, width: int, threshold: float, settings: TrackingSettings | None = None) -> None:
        """For pictures of ``width`` pixels; points from the ``threshold`` on begin tracks."""
        self._settings = settings or TrackingSettings()
        self._gate = self._settings.gate * width
        self._search = self._settings.search * width
        self._threshold = threshold
        self._sure = threshold + self._settings.new_share * (1.0 - threshold)
        self._frames = 0
        self._tracks: list[_Track] = []
        self._next = 0

    def update(self, points: SuturePoints) -> tuple[SuturePoints, np.ndarray]:
        """The points of the next frame that count, and their track numbers (N,).

        ``points`` should reach down to half the threshold: a known point is believed earlier than a new one.
        """
        points = points.at_least(self._settings.continue_share * self._threshold)
        expected = self._expected(points.positions)
        track_of = self._assign(expected, points)
        self._advance(expected, points, track_of)
        begins = (track_of == NO_TRACK) & (points.confidence >= self._threshold)
        for index in np.flatnonzero(begins):
            track_of[index] = len(self._tracks)
            self._tracks.append(_Track(self._next, points.positions[index].copy()))
            self._next += 1
        counted = track_of != NO_TRACK
        if self._frames >= self._settings.trusting:
            counted[begins] = points.confidence[begins] >= self._sure
        self._frames += 1
        numbers = np.array([self._tracks[index].number for index in track_of[counted]], dtype=int)
        self._tracks = [track for track in self._tracks if track.missing <= self._patience_of(track)]
        return points.chosen(counted).at_least(0.0), numbers

    def _patience_of(self, track: _Track) -> int:
        return self._settings.patience if track.seen >= self._settings.confirm else self._settings.early_patience

    def _expected(self, positions: np.ndarray) -> np.ndarray:
        """Where each track should be now: two rounds of matching and of the motion that the matches tell."""
        places = np.array([track.position for track in self._tracks]).reshape(-1, 2)
        if not len(places) or not len(positions):
            return places
        recent = np.array([track.missing == 0 for track in self._tracks])
        start = places + np.array([track.speed for track in self._tracks])
        if recent.sum() < max(3, 0.3 * len(places)) and len(places) >= 3:
            motion, hits = find_motion(places, positions, self._search, 0.7 * self._gate)
            if hits >= max(3, 0.5 * min(len(places), len(positions))):
                start = moved_by(motion, places)
        expected = start
        for gate in (1.5 * self._gate, self._gate):
            rows, columns = _matched(expected, positions, gate)
            if len(rows) >= 2:
                expected = moved_by(estimate_motion(places[rows], positions[columns]), places)
        return expected

    def _assign(self, expected: np.ndarray, points: SuturePoints) -> np.ndarray:
        """Index of the track of every point (N,), NO_TRACK for none: confirmed tracks and sure points first."""
        track_of = np.full(len(points), NO_TRACK)
        rows, columns = _matched(expected, points.positions, self._gate)
        track_of[columns] = rows
        return track_of

    def _advance(self, expected: np.ndarray, points: SuturePoints, track_of: np.ndarray) -> None:
        point_of = {int(track): index for index, track in enumerate(track_of) if track != NO_TRACK}
        for number, track in enumerate(self._tracks):
            index = point_of.get(number)
            place = expected[number] if index is None else points.positions[index]
            # What the picture as a whole did last is the best guess of what it will do next.
            track.speed = 0.5 * track.speed + 0.5 * (place - track.position)
            track.position = place
            if index is None:
                track.missing += 1
                track.speed = np.zeros(2)
            else:
                track.missing = 0
                track.seen += 1


def _matched(expected: np.ndarray, positions: np.ndarray, gate: float) -> tuple[np.ndarray, np.ndarray]:
    """Indices of tracks and of points that belong together, at most once each, nearer than ``gate``."""
    if not len(expected) or not len(positions):
        return np.zeros(0, int), np.zeros(0, int)
    distance = np.linalg.norm(expected[:, None, :] - positions[None, :, :], axis=2)
    rows, columns = linear_sum_assignment(np.minimum(distance, gate) ** 2)
    near = distance[rows, columns] < gate
    return rows[near], columns[near]
