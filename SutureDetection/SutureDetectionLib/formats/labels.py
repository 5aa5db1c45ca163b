"""Labelled suture points of one image."""

from dataclasses import dataclass

import numpy as np

from .. import UNKNOWN_KIND


@dataclass(frozen=True)
class Labels:
    """Labelled points of one image.

    ``points`` (N, 2) float64 (col, row) px; ``kinds`` (N,) 0 entry, 1 exit, -1 unknown; ``partners`` (N,) index of the
    other end of the stitch, -1 where it is not labelled.
    """

    points: np.ndarray
    kinds: np.ndarray
    partners: np.ndarray

    @classmethod
    def of_points(cls, points: np.ndarray, kinds: np.ndarray | None = None,
                  pair_ids: np.ndarray | None = None) -> "Labels":
        """Labels of points (N, 2) whose kinds (N,) and pair numbers (N,), -1 for none, may be unknown."""
        count = len(points)
        kinds = np.full(count, UNKNOWN_KIND) if kinds is None else np.asarray(kinds, dtype=int)
        partners = np.full(count, -1)
        numbers = np.full(count, -1) if pair_ids is None else np.asarray(pair_ids, dtype=int)
        for number in set(numbers.tolist()) - {-1}:
            ends = np.flatnonzero(numbers == number)
            if len(ends) == 2:
                partners[ends] = ends[::-1]
        return cls(np.asarray(points, dtype=float).reshape(-1, 2), kinds, partners)

    @property
    def pair_ids(self) -> np.ndarray:
        """Pair numbers (N,), shared by the two ends of a stitch, -1 where there is no other end."""
        return np.where(self.partners >= 0, np.minimum(self.partners, np.arange(len(self.partners))), -1)

    def moved(self, positions: np.ndarray) -> "Labels":
        """The same labels at other positions (N, 2)."""
        return Labels(positions, self.kinds, self.partners)


def visible_labels(points: np.ndarray, kinds: np.ndarray, pair_ids: np.ndarray, visible: np.ndarray) -> Labels:
    """The labels that can be seen; a partner that cannot be seen is none."""
    return Labels.of_points(points[visible], kinds[visible], pair_ids[visible])
