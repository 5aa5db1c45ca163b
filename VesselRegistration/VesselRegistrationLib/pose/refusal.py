"""What cannot be solved at all, said before any time is spent on it."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from .evidence import ViewEvidence
from .rigid import move_points
from .search import MARGIN
from .solver import PoseModel

SHORTEST_EDGE_MM = 60.0

_SIZE = 256


def refusal(model: PoseModel, evidence: Sequence[ViewEvidence], start: np.ndarray) -> str | None:
    """Why these masks (one or more views) cannot be solved from a start (4, 4), in one sentence; None where they can.

    Refused are a mask with less vessel edge than can fix a pose, counted in mm at the isocentre without the image's
    border, and a model so far outside the field of view that the search cannot reach it.
    """
    for number, one in enumerate(evidence):
        length = _edge_mm(one.at(_SIZE))
        if length < SHORTEST_EDGE_MM:
            return (f"The vessel mask of view {number} shows only {length:.0f} mm of vessel edge, too little to fix a "
                    f"pose (at least {SHORTEST_EDGE_MM:g} mm): choose a frame with contrast or give a mask.")
        if not _within_reach(move_points(start, model.coarse.model.vertices), one):
            return (f"The model lies wholly outside the field of view of view {number}: check the geometry, or start "
                    "from a pose nearer to the vessel.")
    return None


def _edge_mm(evidence: ViewEvidence) -> float:
    vessel, known = evidence.vessel, np.isfinite(evidence.mask)
    edge = vessel & ~ndimage.binary_erosion(vessel | ~known, border_value=1)
    return float(edge.sum() * evidence.view.isocentre_spacing_mm)


def _within_reach(vertices: np.ndarray, evidence: ViewEvidence) -> bool:
    """Whether some of the model falls on the image, enlarged by how far the search shifts it."""
    pixels, depths = evidence.view.project(vertices)
    size = np.array(evidence.mask.shape)[::-1]
    reach = MARGIN * size.max()
    return bool(((depths > 0) & (pixels > -reach).all(axis=1) & (pixels < size + reach).all(axis=1)).any())
