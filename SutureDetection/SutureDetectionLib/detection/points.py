"""Suture points of one image."""

from dataclasses import dataclass

import numpy as np

UNPAIRED = -1


@dataclass(frozen=True)
class SuturePoints:
    """N points.

    ``positions`` (N, 2) float64, (col, row) px, 0-based pixel centres; ``confidence`` (N,) 0 to 1; ``kinds`` (N,) 0
    entry, 1 exit, -1 unknown; ``pair_ids`` (N,), shared by entry and exit of one stitch, -1 where no other end is seen.
    """

    positions: np.ndarray
    confidence: np.ndarray
    kinds: np.ndarray
    pair_ids: np.ndarray

    def __len__(self) -> int:
        return len(self.positions)

    def at_least(self, threshold: float) -> "SuturePoints":
        """The points with at least this confidence; a point whose other end goes is no longer paired."""
        kept = self.chosen(self.confidence >= threshold)
        numbers, counts = np.unique(kept.pair_ids, return_counts=True)
        whole = np.isin(kept.pair_ids, numbers[counts == 2])
        return SuturePoints(kept.positions, kept.confidence, kept.kinds, np.where(whole, kept.pair_ids, UNPAIRED))

    def chosen(self, which: np.ndarray) -> "SuturePoints":
        """The points at these indices, or where a boolean (N,) is true."""
        return SuturePoints(self.positions[which], self.confidence[which], self.kinds[which], self.pair_ids[which])

    def scaled(self, factor: tuple[float, float]) -> "SuturePoints":
        """The points in an image that has ``factor`` (columns, rows) times as many pixels."""
        positions = (self.positions + 0.5) * np.asarray(factor) - 0.5
        return SuturePoints(positions, self.confidence, self.kinds, self.pair_ids)


def no_points() -> SuturePoints:
    """An image without sutures."""
    return SuturePoints(np.zeros((0, 2)), np.zeros(0), np.zeros(0, int), np.zeros(0, int))
