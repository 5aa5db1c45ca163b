"""Suture points from the arrays that the networks give."""

import numpy as np

from .. import ENTRY, EXIT, UNKNOWN_KIND
from .clusters import cluster_centres
from .pairing import pair_stitches
from .peaks import heat_map_peaks, offset_peaks
from .points import UNPAIRED, SuturePoints

LEAST_CONFIDENCE = 0.1
"""Points below are not kept at all; between here and 1 a threshold can be moved without the network."""


def read_clusters(heat: np.ndarray, threshold: float) -> SuturePoints:
    """The published read-out of a heat map (height, width), 0 to 1."""
    return _of_one_kind(*cluster_centres(heat, threshold))


def read_peaks(heat: np.ndarray, threshold: float) -> SuturePoints:
    """Sub-pixel peaks of a heat map (height, width), 0 to 1."""
    return _of_one_kind(*heat_map_peaks(heat, threshold))


def read_stitches(heat: np.ndarray, offset: np.ndarray, pairing: np.ndarray, stride: int,
                  threshold: float = LEAST_CONFIDENCE) -> SuturePoints:
    """Points of our network's maps, in pixels of the image that the network saw.

    ``heat`` (2, height, width), entry and exit, 0 to 1; ``offset`` (2, height, width) in cells; ``pairing``
    (2, height, width) in pixels. The confidence is the probability that there is a point of either kind.
    """
    either = 1.0 - (1.0 - heat[ENTRY]) * (1.0 - heat[EXIT])
    cells, confidence, places = offset_peaks(either, offset, threshold)
    positions = (cells + 0.5) * stride - 0.5
    rows, columns = places.T
    kinds = np.where(heat[ENTRY, rows, columns] >= heat[EXIT, rows, columns], ENTRY, EXIT)
    pair_ids = np.full(len(positions), UNPAIRED)
    entries, exits = np.flatnonzero(kinds == ENTRY), np.flatnonzero(kinds == EXIT)
    way = pairing[:, rows[entries], columns[entries]].T
    pair_ids[entries], pair_ids[exits] = pair_stitches(positions[entries], positions[exits], way)
    return SuturePoints(positions, confidence, kinds, pair_ids)


def _of_one_kind(positions: np.ndarray, confidence: np.ndarray) -> SuturePoints:
    unknown = np.full(len(positions), UNKNOWN_KIND)
    return SuturePoints(positions, confidence, unknown, np.full(len(positions), UNPAIRED))
