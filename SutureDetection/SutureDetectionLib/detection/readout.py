"""Suture points from the arrays that the networks give."""

from dataclasses import dataclass

import numpy as np

from .. import UNKNOWN_KIND
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


STRIDE = 2
"""Pixels per cell of our network's maps."""

PAIRING_UNIT_PX = 16.0
"""Length of the pairing vector that our network writes as 1."""


@dataclass(frozen=True)
class StitchArrays:
    """Maps of our network for one image, cells of ``stride`` pixels.

    ``heat`` (height, width), probability of a point; ``exit`` (height, width), probability that a point here is an
    exit; ``offset`` (2, height, width), column and row in cells to the nearest point; ``pairing`` (2, height, width),
    column and row in pixels to the other end of the stitch.
    """

    heat: np.ndarray
    exit: np.ndarray
    offset: np.ndarray
    pairing: np.ndarray
    stride: int

    @classmethod
    def of_stack(cls, stack: np.ndarray) -> "StitchArrays":
        """From the network's six maps (6, height, width): heat and exit logits, offset, pairing."""
        probability = 1.0 / (1.0 + np.exp(-stack[:2].astype(np.float32)))
        return cls(probability[0], probability[1], stack[2:4], stack[4:6] * PAIRING_UNIT_PX, STRIDE)


def read_stitches(maps: StitchArrays, threshold: float = LEAST_CONFIDENCE) -> SuturePoints:
    """Points of our network's maps, in pixels of the image that the network saw."""
    cells, confidence, places = offset_peaks(maps.heat, maps.offset, threshold)
    positions = (cells + 0.5) * maps.stride - 0.5
    rows, columns = places.T
    pair_ids, kinds = pair_stitches(positions, maps.pairing[:, rows, columns].T, maps.exit[rows, columns],
                                    confidence)
    return SuturePoints(positions, confidence, kinds, pair_ids)


def _of_one_kind(positions: np.ndarray, confidence: np.ndarray) -> SuturePoints:
    unknown = np.full(len(positions), UNKNOWN_KIND)
    return SuturePoints(positions, confidence, unknown, np.full(len(positions), UNPAIRED))
